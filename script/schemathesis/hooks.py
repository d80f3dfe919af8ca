"""What schemathesis cannot know of by itself."""

import schemathesis

# The bytes of an upload (tus) are bytes.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
