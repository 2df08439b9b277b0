package dev.underlay.ipamd.cli;

import dev.underlay.pool.tune.Trace;
import dev.underlay.pool.tune.TraceParser;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Reads a trace from a CSV file, gzipped or not. */
final class TraceFile {
    private static final int LONGEST_LINE = 1_000;
    private static final int GZIP_FIRST_BYTE = 0x1f; // RFC 1952, section 2.3.1
    private static final int GZIP_SECOND_BYTE = 0x8b;

    private TraceFile() {}

    /**
     * Reads a file line by line; memory is bounded by the parser's and the line's limits, whatever
     * the file unpacks to.
     *
     * @throws IOException when it cannot be read or is not a trace; the message names the file, the
     *     line and what is wrong
     */
    static Trace read(Path file) throws IOException {
        TraceParser parser = new TraceParser();
        int line = 1;
        try (Reader in = open(file)) {
            StringBuilder text = new StringBuilder();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    parser.line(text.toString());
                    text.setLength(0);
                    line++;
                } else if (text.length() >= LONGEST_LINE) {
                    throw new IllegalArgumentException(
                            "it is longer than " + LONGEST_LINE + " characters");
                } else {
                    text.append((char) c);
                }
            }
            if (!text.isEmpty()) {
                parser.line(text.toString());
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ", line " + line + ": " + e.getMessage(), e);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (IOException e) {
            throw new IOException(
                    file + ", after line " + (line - 1) + ": it cannot be read: " + e.getMessage(),
                    e);
        }
        try {
            return parser.finish();
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static Reader open(Path file) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(file));
        try {
            in.mark(2);
            boolean zipped = in.read() == GZIP_FIRST_BYTE && in.read() == GZIP_SECOND_BYTE;
            in.reset();
            return new BufferedReader(
                    new InputStreamReader(
                            zipped ? new GZIPInputStream(in) : in, StandardCharsets.UTF_8));
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }
}
