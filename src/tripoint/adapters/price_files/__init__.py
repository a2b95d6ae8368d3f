"""Price files of other programs as they stand: SkyPilot's catalogue and LiteLLM's price map."""
