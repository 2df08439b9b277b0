/** The one HTTP server class behind both endpoints. */
@NullMarked
package dev.underlay.localvpc.http;

import org.jspecify.annotations.NullMarked;
