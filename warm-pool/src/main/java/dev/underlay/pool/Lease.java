package dev.underlay.pool;

/**
 * A pod address and who holds it; a pod with two families has two.
 *
 * @param owner the pod interface that holds it
 * @param address the address
 * @param interfaceId the cloud's name of the interface that the address is assigned to
 */
public record Lease(AttachmentKey owner, IpAddress address, String interfaceId) {}
