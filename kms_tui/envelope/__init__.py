"""Envelope encryption of files of any size, in the AWS Encryption SDK's own message format.

What is sealed here, the Encryption SDK and its command line open, and the reverse. ``files`` works on
paths, ``message`` on streams, ``header`` tells what can be known of a message without opening it, ``keys``
is the SDK's master key over our ``Backend``, ``watch`` is progress, cancelling and the visible steps.
All but ``watch``, ``errors`` and ``streams`` import the SDK (and with it botocore), which takes 0.3 s:
import them late.
"""
