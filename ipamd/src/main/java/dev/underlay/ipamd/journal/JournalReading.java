package dev.underlay.ipamd.journal;

import java.io.IOException;
import java.util.Optional;

/**
 * What a file's bytes say. A torn tail is what a kill in the middle of a write leaves: it is cut
 * and is no damage, since its record was never acted on.
 *
 * @param state the fold of every intact record
 * @param intactBytes where appends may go on
 * @param goesOn whether the file as such can be appended to: of this boot and without damage
 * @param damage one line about what was skipped, if anything was
 */
record JournalReading(
        JournalState state, int intactBytes, boolean goesOn, Optional<String> damage) {
    static JournalReading of(byte[] file, String bootId) {
        if (file.length == 0) {
            return fresh(Optional.empty());
        }
        Optional<byte[]> header = JournalFrames.at(file, 0);
        if (header.isEmpty()) {
            return ignored(file.length, "the header is damaged");
        }
        int version = JournalFrames.version(header.get());
        if (version != JournalFrames.VERSION) {
            return ignored(
                    file.length,
                    "it is of version "
                            + version
                            + " and this ipamd reads version "
                            + JournalFrames.VERSION);
        }
        if (!JournalFrames.bootId(header.get()).equals(bootId)) {
            return fresh(Optional.empty());
        }
        JournalState state = new JournalState();
        Skipped skipped = new Skipped();
        int offset = JournalFrames.FRAME_BYTES + header.get().length;
        int intact = offset;
        while (offset < file.length) {
            Optional<byte[]> payload = JournalFrames.at(file, offset);
            if (payload.isPresent()) {
                applyIfKnown(payload.get(), offset, state, skipped);
                offset += JournalFrames.FRAME_BYTES + payload.get().length;
                intact = offset;
                continue;
            }
            int next = JournalFrames.nextIntact(file, offset + 1);
            if (next < file.length) {
                skipped.add("bytes " + offset + " to " + next + " are damaged");
            }
            offset = next;
        }
        return new JournalReading(state, intact, skipped.places == 0, skipped.text());
    }

    /** What was passed over: the first place and how many there are, for one line of the log. */
    private static final class Skipped {
        private int places;
        private String first = "";

        void add(String what) {
            if (places++ == 0) {
                first = what;
            }
        }

        Optional<String> text() {
            return switch (places) {
                case 0 -> Optional.empty();
                case 1 -> Optional.of(first + "; it is skipped, all else is kept");
                default ->
                        Optional.of(
                                first
                                        + ", and "
                                        + (places - 1)
                                        + " more places; they are skipped, all else is kept");
            };
        }
    }

    /** Nothing of the file is believed. */
    static JournalReading ignored(long size, String why) {
        return fresh(
                Optional.of(
                        why
                                + ": all "
                                + size
                                + " bytes are ignored, leases come from the kernel's links"));
    }

    private static JournalReading fresh(Optional<String> damage) {
        return new JournalReading(new JournalState(), 0, false, damage);
    }

    private static void applyIfKnown(
            byte[] payload, int offset, JournalState state, Skipped skipped) {
        try {
            state.apply(RecordCodec.decode(payload));
        } catch (IOException e) {
            skipped.add("the record at byte " + offset + " is not understood: " + e.getMessage());
        }
    }
}
