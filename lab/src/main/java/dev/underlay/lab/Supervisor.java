package dev.underlay.lab;

import dev.underlay.localvpc.LatencyProfile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The process that holds a standing lab: its VPC lives in this process, its daemons are children
 * that are replaced when they die. SIGTERM ends it and removes everything.
 */
final class Supervisor {
    /** Begins the line that ends the start; the lab's id follows. */
    static final String READY = "READY ";

    private static final int SUBNETS = 2;
    private static final String LOG = "supervisor.log";

    private final Programs programs;

    Supervisor(Programs programs) {
        this.programs = programs;
    }

    /** Raises a lab, says that it is ready, and holds it until the process is asked to end. */
    void run(int nodes, String type, LatencyProfile latency) throws IOException {
        LabRun run = LabRun.start();
        System.out.printf("raising a VPC with %d %s%n", nodes, type);
        LabVpc vpc = LabVpc.raise(run, programs, latency);
        for (int i = 0; i < nodes; i++) {
            LabNode node = vpc.addNode(type, i % SUBNETS, Map.of());
            node.daemon().start();
        }
        for (LabNode node : vpc.nodes()) {
            node.daemon().awaitReady();
        }
        LabFile.of(run, vpc).write(run.folder());
        System.out.println(READY + run.id());
        System.out.flush();
        // Whoever started this goes away now, and with it the other end of standard output.
        Path file = run.folder().resolve(LOG);
        PrintStream log = new PrintStream(file.toFile(), StandardCharsets.UTF_8);
        System.setOut(log);
        System.setErr(log);
        for (LabNode node : vpc.nodes()) {
            node.daemon().keepAlive(event -> changed(run, vpc, event));
        }
        try {
            new CountDownLatch(1).await(); // The run is removed as this process ends.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static synchronized void changed(LabRun run, LabVpc vpc, String event) {
        try {
            System.out.println(event);
            LabFile.of(run, vpc).write(run.folder());
        } catch (IOException e) {
            System.out.println("cannot write the lab's file: " + e.getMessage());
        }
    }
}
