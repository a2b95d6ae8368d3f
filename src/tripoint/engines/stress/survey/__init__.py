"""What an estate and its plan come to as a world to try: what stands, what could, who asks."""
