package dev.underlay.lab;

/**
 * A pod that got its address.
 *
 * @param node where it runs
 * @param sandbox its sandbox
 * @param address its address, as the CNI result says
 * @param device the device index of the interface that the VPC assigned the address to; -1 if the
 *     VPC assigned it to no interface of the node
 */
record Pod(LabNode node, Sandbox sandbox, String address, int device) {
    Place place() {
        return new Place(sandbox.podName() + "/eth" + device, sandbox.netns(), address);
    }
}
