"""Several outlooks in one program: what is decided at the first review is decided once, the rest in each."""
