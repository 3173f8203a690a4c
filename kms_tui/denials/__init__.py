"""Why a request was denied: what a message says, the layers behind it, the smallest fix and its proof."""
