"""Tables, migrations, configuration documents and object storage."""
