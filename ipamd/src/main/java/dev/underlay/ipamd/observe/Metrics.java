package dev.underlay.ipamd.observe;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * The daemon's numbers, in one registry of their own. Labels come from small fixed sets: never a
 * pod, an address or a message.
 */
public final class Metrics {
    /** What the pool holds at one moment. */
    public record Gauges(
            int free, int leased, int cooling, int requested, int interfaces, int waiting) {
        /** Nothing yet. */
        public static final Gauges EMPTY = new Gauges(0, 0, 0, 0, 0, 0);
    }

    private final PrometheusRegistry registry = new PrometheusRegistry();

    private final Counter calls =
            Counter.builder()
                    .name("underlay_cni_calls_total")
                    .help("CNI calls answered, by verb and CNI error code; 0 is success.")
                    .labelNames("verb", "code")
                    .register(registry);
    private final Histogram addSeconds =
            Histogram.builder()
                    .name("underlay_cni_add_duration_seconds")
                    .help(
                            "Time from an ADD's arrival to its answer, waiting for an address counted.")
                    .classicOnly()
                    .classicUpperBounds(
                            .001, .002, .004, .008, .016, .032, .064, .128, .25, .5, 1, 2, 5, 10,
                            30, 60)
                    .register(registry);
    private final Counter waits =
            Counter.builder()
                    .name("underlay_add_waits_total")
                    .help("ADDs that found no free address and waited.")
                    .register(registry);
    private final Counter cloudCalls =
            Counter.builder()
                    .name("underlay_cloud_calls_total")
                    .help("Calls to the cloud, by action and outcome (done or the refusal).")
                    .labelNames("action", "outcome")
                    .register(registry);
    private final Histogram cloudSeconds =
            Histogram.builder()
                    .name("underlay_cloud_call_duration_seconds")
                    .help("Time until the cloud's answer, retries counted.")
                    .labelNames("action")
                    .classicOnly()
                    .classicUpperBounds(.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
                    .register(registry);
    private final Counter plannerActions =
            Counter.builder()
                    .name("underlay_planner_actions_total")
                    .help("Actions the planner decided on.")
                    .labelNames("action")
                    .register(registry);
    private final Gauge journalBytes =
            Gauge.builder()
                    .name("underlay_journal_size_bytes")
                    .help("Size of the journal's file.")
                    .register(registry);
    private final Counter faults =
            Counter.builder()
                    .name("underlay_faults_total")
                    .help("Faults that the daemon bore, by place.")
                    .labelNames("place")
                    .register(registry);

    private volatile Gauges gauges = Gauges.EMPTY;

    /** Registers everything, so that each number is there from the first scrape. */
    public Metrics() {
        GaugeWithCallback.builder()
                .name("underlay_pool_slots")
                .help("Pod addresses on this node by state.")
                .labelNames("state")
                .callback(callback -> {
                    Gauges now = gauges;
                    callback.call(now.free(), "free");
                    callback.call(now.leased(), "leased");
                    callback.call(now.cooling(), "cooling");
                    callback.call(now.requested(), "requested");
                })
                .register(registry);
        GaugeWithCallback.builder()
                .name("underlay_interfaces")
                .help("Network interfaces of this node that hold pod addresses.")
                .callback(callback -> callback.call(gauges.interfaces()))
                .register(registry);
        GaugeWithCallback.builder()
                .name("underlay_adds_waiting")
                .help("ADDs that wait for an address at this moment.")
                .callback(callback -> callback.call(gauges.waiting()))
                .register(registry);
    }

    /** A CNI call was answered. */
    public void called(String verb, int code, long tookNanos) {
        calls.labelValues(verb, Integer.toString(code)).inc();
        if (verb.equals("ADD")) {
            addSeconds.observe(seconds(tookNanos));
        }
    }

    /** An ADD began to wait. */
    public void waited() {
        waits.inc();
    }

    /** The cloud answered. */
    public void cloudCalled(String action, String outcome, long tookNanos) {
        cloudCalls.labelValues(action, outcome).inc();
        cloudSeconds.labelValues(action).observe(seconds(tookNanos));
    }

    /** The planner decided on an action. */
    public void planned(String action) {
        plannerActions.labelValues(action).inc();
    }

    /** Something failed that was borne. */
    public void fault(String place) {
        faults.labelValues(place).inc();
    }

    /** How often {@link #fault} was told of this place. */
    long faults(String place) {
        return (long) faults.labelValues(place).get();
    }

    /** The pool and the journal as they are. */
    public void now(Gauges pool, long journalSizeBytes) {
        gauges = pool;
        journalBytes.set((double) journalSizeBytes);
    }

    /** The newest numbers of the pool. */
    public Gauges gauges() {
        return gauges;
    }

    /**
     * Serves {@code /metrics}.
     *
     * @throws IOException when the address cannot be had; the message names it
     */
    public Closeable serve(InetSocketAddress address) throws IOException {
        try {
            return HTTPServer.builder()
                    .inetAddress(address.getAddress())
                    .port(address.getPort())
                    .registry(registry)
                    .buildAndStart();
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on the metrics address "
                            + address
                            + ": "
                            + e.getMessage()
                            + "; end what holds it or choose another with --metrics-address",
                    e);
        }
    }

    private static double seconds(long nanos) {
        return (double) nanos / 1e9;
    }
}
