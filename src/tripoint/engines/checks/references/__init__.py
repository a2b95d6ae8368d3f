"""Do names lead somewhere, and is what they lead to complete, possible and used?"""
