package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;

/**
 * Something with a name, a namespace and an address: a pod, a node, a host outside.
 *
 * @param label what people call it
 * @param namespace where its programs run
 * @param address the address that others reach it by
 */
record Place(String label, Netns namespace, String address) {
    @Override
    public String toString() {
        return label + " (" + address + ")";
    }
}
