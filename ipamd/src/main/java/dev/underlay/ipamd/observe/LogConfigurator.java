package dev.underlay.ipamd.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * Sets logback up: one line per event on standard error. In Java and not in XML, because reading
 * XML took a third of the time until the socket is served (some 600 of 3,300 classes). Found by
 * logback as a service; {@code UNDERLAY_LOG_LEVEL} is the level, INFO without it.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class LogConfigurator extends ContextAwareBase implements Configurator {
    @Override
    public ExecutionStatus configure(LoggerContext context) {
        Line line = new Line();
        line.setContext(context);
        line.start();
        ConsoleAppender<ILoggingEvent> standardError = new ConsoleAppender<>();
        standardError.setContext(context);
        standardError.setTarget("System.err");
        standardError.setEncoder(line);
        standardError.start();

        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.toLevel(System.getenv("UNDERLAY_LOG_LEVEL"), Level.INFO));
        root.addAppender(standardError);
        // Below WARN the SDK prints requests with their signatures.
        context.getLogger("software.amazon").setLevel(Level.WARN);
        // It repeats with stack traces what our own lines say once; only of an election that cannot
        // reach its Lease nobody else hears.
        context.getLogger("io.fabric8").setLevel(Level.OFF);
        context.getLogger("io.fabric8.kubernetes.client.extended.leaderelection")
                .setLevel(Level.WARN);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /** Time (UTC), level, message; a stack trace follows on lines of its own. */
    private static final class Line extends EncoderBase<ILoggingEvent> {
        @Override
        public byte[] encode(ILoggingEvent event) {
            StringBuilder text = new StringBuilder(160);
            text.append(Instant.ofEpochMilli(event.getTimeStamp())).append(' ');
            text.append(event.getLevel()).append(' ');
            text.append(event.getFormattedMessage()).append('\n');
            if (event.getThrowableProxy() != null) {
                text.append(ThrowableProxyUtil.asString(event.getThrowableProxy())).append('\n');
            }
            return text.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public byte[] headerBytes() {
            return new byte[0];
        }

        @Override
        public byte[] footerBytes() {
            return new byte[0];
        }
    }
}
