SELECT CAST(to_json(list(c)) AS VARCHAR) AS answer
  FROM (SELECT schema_name, table_name, constraint_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
    FROM duckdb_constraints()
    WHERE database_name = current_database() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
    ORDER BY schema_name, table_name, constraint_index) AS c
