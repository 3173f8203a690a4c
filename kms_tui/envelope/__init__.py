"""Envelope encryption of files of any size, in the AWS Encryption SDK's message format.

The Encryption SDK and its command line open files sealed here, and the reverse. ``files`` works on paths,
``message`` on streams; ``header`` reads a message's header without a key; ``keys`` is the SDK's master key
over our ``Backend``; ``streams`` has the streams, and progress with cancelling and visible steps.

All but ``errors`` and ``streams`` import the SDK (and with it botocore), which takes 0.3 s: import them late.
"""
