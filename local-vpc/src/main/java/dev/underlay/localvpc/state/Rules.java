package dev.underlay.localvpc.state;

import dev.underlay.localvpc.state.Eni.Attachment;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** EC2's limits, and which things go together. All are pure: they refuse, or nothing happens. */
final class Rules {
    /** Interfaces per region, AWS's default quota. */
    static final int MAX_INTERFACES = 5_000;

    /** Slots of each family of an interface that is attached to nothing yet; believed. */
    static final int MAX_SLOTS_UNATTACHED = 50;

    /** Tags per resource, AWS's limit. */
    static final int MAX_TAGS = 50;

    /** The highest device index; believed. */
    private static final int MAX_DEVICE_INDEX = 31;

    private Rules() {}

    /**
     * Whether another interface may be made.
     *
     * @param blocks IPv4 ones beside its primary address
     * @param ipv6Blocks IPv6 ones
     */
    static void checkCreate(int interfaces, int blocks, int ipv6Blocks) {
        checkSlots(1 + blocks, null);
        checkSlots(ipv6Blocks, null);
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
        InstanceType type = InstanceType.of(instance);
        checkSlots(slots(eni, false), type);
        checkSlots(slots(eni, true), type);
        checkPrefixes(type, !eni.ipv4Prefixes().isEmpty() || !eni.ipv6Prefixes().isEmpty());
    }

    /**
     * Whether the interface can hold more blocks.
     *
     * @param type of the instance that it is attached to; null if there is none
     * @param more how many of those wanted it has not yet
     */
    static void checkAssign(Eni eni, @Nullable InstanceType type, BlockRequest wanted, int more) {
        checkSlots(slots(eni, wanted.ipv6()) + more, type);
        checkPrefixes(type, wanted.wantsPrefixes());
    }

    /** How many slots of a family are taken; each family has its own. */
    private static int slots(Eni eni, boolean ipv6) {
        return ipv6
                ? eni.ipv6Addresses().size() + eni.ipv6Prefixes().size()
                : 1 + eni.secondaryAddresses().size() + eni.ipv4Prefixes().size();
    }

    private static void checkSlots(int slots, @Nullable InstanceType type) {
        if (slots > (type == null ? MAX_SLOTS_UNATTACHED : type.addressesPerInterface())) {
            throw Ec2Refusal.addressLimit();
        }
    }

    private static void checkPrefixes(@Nullable InstanceType type, boolean prefixes) {
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
