"""The cryptographic operations of the scratchpad, without its screen.

``operations`` is THE table; ``request`` holds a request and its settings; ``inputs`` reads typed text, files
and encryption contexts; ``check`` knows the limits, finds what is wrong with a request, and explains errors;
``calls`` makes the API calls; ``sealing`` and ``signing`` do what takes more than one call; ``run`` runs a
request; ``results`` reads the answers; ``commands`` writes a request as text; ``history`` keeps what was
done, without content.
"""
