package dev.underlay.cloud.aws;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One attempt at a cloud call, in a flight recording. */
@Name("dev.underlay.CloudCall")
@Label("Cloud call")
@Category("Underlay")
@StackTrace(false)
final class CloudCallEvent extends Event {
    @Label("Action")
    final String action;

    @Label("Thing")
    final String thing;

    @Label("Outcome")
    String outcome = "";

    CloudCallEvent(String action, String thing) {
        this.action = action;
        this.thing = thing;
    }
}
