package dev.underlay.cloud.aws;

import java.time.Duration;

/**
 * Every limit, wait and back-off of the cloud calls, in one table.
 *
 * @param connectTimeout how long a connection may take to stand
 * @param attemptTimeout how long one attempt may take, from sending to the last byte
 * @param callDeadline how long one call of the port may take with all its attempts and looks
 * @param limitsDeadline how long EC2 may take to tell a type's limits before the table that comes
 *     with the program is used instead
 * @param detachDeadline how long that may be for a detach, which waits for the cloud to finish
 * @param attempts how often one request is sent at most where a repeat is harmless
 * @param rounds how often a request without a client token is sent at most, each time after a look
 * @param backoffBase upper bound of the first random wait; it doubles with every attempt
 * @param backoffCap upper bound of any random wait
 * @param changesPerSecond budget for calls that change something; see {@link Budget}
 * @param readsPerSecond budget for calls that only read
 * @param budgetWait how long an attempt may wait for the budget before it is refused
 * @param breakerWindow over how many attempts the breaker counts; it opens when all but a fifth of
 *     them got no usable answer
 * @param breakerOpen how long the breaker stays open before it lets one probe through
 * @param settle for how long after an ambiguous failure a missing effect is looked for, because the
 *     API's reads lag behind its writes
 * @param lookEvery upper bound of the wait between two looks; the first ones follow faster
 */
record CallPolicy(
        Duration connectTimeout,
        Duration attemptTimeout,
        Duration callDeadline,
        Duration limitsDeadline,
        Duration detachDeadline,
        int attempts,
        int rounds,
        Duration backoffBase,
        Duration backoffCap,
        int changesPerSecond,
        int readsPerSecond,
        Duration budgetWait,
        int breakerWindow,
        Duration breakerOpen,
        Duration settle,
        Duration lookEvery) {
    /**
     * For EC2. The account's buckets refill with 5 changes and 20 reads a second (AWS staff in
     * aws/amazon-vpc-resource-controller-k8s#675), hold 50 and 100, and are shared by every node,
     * so one node alone never asks for more than that. Worked example: a lost answer to an assign
     * costs the attempt (10 s at worst), looks during 3 s, and at most two repeats.
     */
    static final CallPolicy EC2 =
            new CallPolicy(
                    Duration.ofSeconds(3),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(45),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(90),
                    5,
                    3,
                    Duration.ofMillis(200),
                    Duration.ofSeconds(8),
                    5,
                    20,
                    Duration.ofSeconds(10),
                    10,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(3),
                    Duration.ofSeconds(2));

    /**
     * For the metadata service, which is on the host itself and answers in a millisecond or not at
     * all. It drops packets above 1,024 a second for each interface, DNS and time included.
     */
    static final CallPolicy METADATA =
            new CallPolicy(
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(10),
                    Duration.ZERO,
                    Duration.ofSeconds(10),
                    4,
                    1,
                    Duration.ofMillis(100),
                    Duration.ofSeconds(2),
                    50,
                    50,
                    Duration.ofSeconds(2),
                    20,
                    Duration.ofSeconds(2),
                    Duration.ZERO,
                    Duration.ZERO);
}
