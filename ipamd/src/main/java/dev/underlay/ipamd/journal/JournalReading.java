package dev.underlay.ipamd.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a file's bytes say. A torn tail is what a kill in the middle of a write leaves: it is cut
 * and is no damage, since its record was never acted on.
 *
 * @param state the fold of every intact record
 * @param intactBytes where appends may go on
 * @param goesOn whether the file as such can be appended to: of this boot and without damage
 * @param damage a sentence about bytes that were skipped, if any were
 */
record JournalReading(
        JournalState state, int intactBytes, boolean goesOn, Optional<String> damage) {
    static JournalReading of(byte[] file, String bootId) {
        if (file.length == 0) {
            return fresh(Optional.empty());
        }
        Optional<byte[]> header = JournalFrames.at(file, 0);
        Optional<String> writtenAt = header.flatMap(JournalFrames::bootId);
        if (header.isEmpty() || writtenAt.isEmpty()) {
            return fresh(
                    Optional.of(
                            "the header is damaged or of another version: all "
                                    + file.length
                                    + " bytes are ignored, leases come from the kernel's links"));
        }
        if (!writtenAt.get().equals(bootId)) {
            return fresh(Optional.empty());
        }
        JournalState state = new JournalState();
        List<String> damages = new ArrayList<>();
        int offset = JournalFrames.FRAME_BYTES + header.get().length;
        int intact = offset;
        while (offset < file.length) {
            Optional<byte[]> payload = JournalFrames.at(file, offset);
            if (payload.isPresent()) {
                applyIfKnown(payload.get(), offset, state, damages);
                offset += JournalFrames.FRAME_BYTES + payload.get().length;
                intact = offset;
                continue;
            }
            int next = JournalFrames.nextIntact(file, offset + 1);
            if (next < file.length) {
                damages.add("bytes " + offset + " to " + next + " are damaged and skipped");
            }
            offset = next;
        }
        return new JournalReading(
                state,
                intact,
                damages.isEmpty(),
                damages.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", damages)));
    }

    private static JournalReading fresh(Optional<String> damage) {
        return new JournalReading(new JournalState(), 0, false, damage);
    }

    private static void applyIfKnown(
            byte[] payload, int offset, JournalState state, List<String> damages) {
        try {
            state.apply(RecordCodec.decode(payload));
        } catch (IOException e) {
            damages.add("the record at byte " + offset + " is skipped: " + e.getMessage());
        }
    }
}
