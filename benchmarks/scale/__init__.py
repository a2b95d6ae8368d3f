"""Plans at sizes that no solver takes whole: how long until they are good, with proof."""
