package dev.underlay.lab;

/**
 * One thing that was looked at, and what was seen.
 *
 * @param name what must hold, as a sentence's core
 * @param ok whether it does
 * @param evidence what was seen, short; on a failure the first thing that broke
 */
record Check(String name, boolean ok, String evidence) {}
