//! Which releases a configuration means: channels, ranges and upgrade paths over Cincinnati graphs.
