package dev.underlay.ipamd;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The program. Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot start, 64 for a wrong
 * command line, 78 for wrong settings (sysexits.h).
 */
public final class Ipamd {
    private static final int CANNOT_START = 1;
    private static final int USAGE = 64;
    private static final int CONFIGURATION = 78;

    private Ipamd() {}

    /** Starts the daemon and returns when it is told to end. */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    private static int run(String[] args) {
        List<String> arguments = List.of(args);
        if (arguments.contains("--help")) {
            System.out.print(DaemonOptions.HELP);
            return 0;
        }
        if (arguments.contains("--version")) {
            System.out.println("underlay ipamd 0.1.0");
            return 0;
        }
        DaemonOptions options;
        try {
            options = DaemonOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("ipamd: " + e.getMessage() + "; see ipamd --help");
            return USAGE;
        }
        return switch (DaemonSettings.of(options, System.getenv())) {
            case DaemonSettings.Checked.Bad(var errors) -> {
                report(errors);
                yield CONFIGURATION;
            }
            case DaemonSettings.Checked.Good(var settings) -> serve(settings);
        };
    }

    private static void report(List<String> errors) {
        System.err.println("ipamd: " + errors.size() + " settings are wrong:");
        errors.forEach(error -> System.err.println("  " + error));
    }

    /**
     * Runs until a signal. The JDK turns SIGTERM and SIGINT into shutdown hooks and would then exit
     * with 143 or 130; ending when asked is no failure, so the hook exits by itself.
     */
    private static int serve(DaemonSettings settings) {
        AtomicReference<@Nullable Daemon> running = new AtomicReference<>();
        AtomicInteger code = new AtomicInteger();
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    Daemon daemon = running.get();
                                    if (daemon != null) {
                                        daemon.close();
                                    }
                                    Runtime.getRuntime().halt(code.get());
                                },
                                "end"));
        try {
            running.set(Daemon.start(settings));
            new CountDownLatch(1).await();
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("ipamd: cannot start: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        code.set(CANNOT_START);
        return CANNOT_START;
    }
}
