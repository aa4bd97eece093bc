"""What one grant, or a dataset before anybody asked for it, can be called for: as an engineer of
the consumer reads it. Read in the order subjects, schemas, operations, document, samples.

Page, OpenAPI document and console are drawn from the same operations, so that none promises what
another does not.
"""
