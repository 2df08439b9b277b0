package dev.underlay.localvpc.state;

import dev.underlay.localvpc.state.Eni.Attachment;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** EC2's limits, and which things go together. All are pure: they refuse, or nothing happens. */
final class Rules {
    /** Interfaces per region, AWS's default quota. */
    static final int MAX_INTERFACES = 5_000;

    /** IPv4 slots of an interface that is attached to nothing yet; believed. */
    static final int MAX_SLOTS_UNATTACHED = 50;

    /** Tags per resource, AWS's limit. */
    static final int MAX_TAGS = 50;

    /** The highest device index; believed. */
    private static final int MAX_DEVICE_INDEX = 31;

    private Rules() {}

    /** Whether another interface may be made with so many blocks beside its primary address. */
    static void checkCreate(int interfaces, int blocks) {
        if (blocks + 1 > MAX_SLOTS_UNATTACHED) {
            throw Ec2Refusal.addressLimit();
        }
        if (interfaces >= MAX_INTERFACES) {
            throw new Ec2Refusal(
                    400,
                    "NetworkInterfaceLimitExceeded",
                    "The maximum number of network interfaces has been reached.");
        }
    }

    /**
     * Whether the interface may be attached.
     *
     * @param others what is attached to the instance already
     */
    static void checkAttach(
            Eni eni, Instance instance, List<Eni> others, int deviceIndex, int cardIndex) {
        if (instance.state() != Instance.State.RUNNING) {
            throw new Ec2Refusal(
                    400, "IncorrectState", "Instance '" + instance.id() + "' is not running.");
        }
        if (eni.attachment() != null) {
            throw Ec2Refusal.interfaceInUse(eni.id());
        }
        if (!eni.subnet().zone().equals(instance.subnet().zone())) {
            throw Ec2Refusal.parameterCombination(
                    "Interface '%s' is in zone %s and instance '%s' in zone %s."
                            .formatted(
                                    eni.id(),
                                    eni.subnet().zone(),
                                    instance.id(),
                                    instance.subnet().zone()));
        }
        checkIndex(instance, others, deviceIndex, cardIndex);
        checkSlots(eni, InstanceType.of(instance), 0, !eni.ipv4Prefixes().isEmpty());
    }

    /**
     * Whether the interface can hold so many more blocks.
     *
     * @param type of the instance that it is, or will be, attached to; null if there is none
     * @param prefixes whether there are prefixes among them
     */
    static void checkSlots(Eni eni, @Nullable InstanceType type, int more, boolean prefixes) {
        int limit = type == null ? MAX_SLOTS_UNATTACHED : type.addressesPerInterface();
        int has = 1 + eni.secondaryAddresses().size() + eni.ipv4Prefixes().size();
        if (has + more > limit) {
            throw Ec2Refusal.addressLimit();
        }
        if (prefixes && type != null && !type.takesPrefixes()) {
            throw Ec2Refusal.parameterValue(
                    "Prefixes cannot be assigned to an instance of type " + type.name());
        }
    }

    /** Whether a resource may have these tags, all of them together. */
    static void checkTags(Map<String, String> tags) {
        for (String key : tags.keySet()) {
            if (key.startsWith("aws:")) {
                throw Ec2Refusal.parameterValue(
                        "Tag keys starting with 'aws:' are reserved for internal use: " + key);
            }
        }
        if (tags.size() > MAX_TAGS) {
            throw new Ec2Refusal(
                    400, "TagLimitExceeded", "The maximum number of tags has been reached.");
        }
    }

    private static void checkIndex(
            Instance instance, List<Eni> others, int deviceIndex, int cardIndex) {
        InstanceType type = InstanceType.of(instance);
        if (deviceIndex < 0 || deviceIndex > MAX_DEVICE_INDEX) {
            throw Ec2Refusal.parameterValue("Invalid device index: " + deviceIndex);
        }
        if (cardIndex < 0 || cardIndex >= type.cards()) {
            throw Ec2Refusal.parameterValue("Invalid network card index: " + cardIndex);
        }
        int onCard = 1;
        for (Eni other : others) {
            Attachment at = other.attachment();
            if (at != null && at.cardIndex() == cardIndex) {
                onCard++;
                if (at.deviceIndex() == deviceIndex) {
                    throw Ec2Refusal.parameterValue(
                            "Instance '%s' already has an interface attached at device index '%d'."
                                    .formatted(instance.id(), deviceIndex));
                }
            }
        }
        if (onCard > type.interfacesPerCard()) {
            throw Ec2Refusal.attachmentLimit(onCard, type.name());
        }
    }
}
