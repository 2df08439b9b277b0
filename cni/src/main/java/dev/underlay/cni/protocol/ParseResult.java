package dev.underlay.cni.protocol;

/** A checked request, or the error that its sender gets. */
public sealed interface ParseResult permits CniRequest, ParseResult.Refused {
    /**
     * The request is not one that can be served.
     *
     * @param version what the answer is written in: the request's version, or the newest if the
     *     request names none that is spoken
     */
    record Refused(CniError error, SpecVersion version) implements ParseResult {}
}
