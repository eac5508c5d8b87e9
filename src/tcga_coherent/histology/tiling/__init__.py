"""From slides, or tiles that are cut already, to stored tiles."""
