"""The gateway's face: processes, sockets and clocks around the machines; no decision about a request is made here."""
