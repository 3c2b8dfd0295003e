SELECT CAST(JSON_OBJECT(
  'keys': COALESCE((SELECT JSON_ARRAYAGG(JSON_ARRAY(constraint_schema, constraint_name, unique_constraint_schema, unique_constraint_name, delete_rule, update_rule))
    FROM information_schema.referential_constraints), JSON '[]'),
  'constraints': COALESCE((SELECT JSON_ARRAYAGG(JSON_ARRAY(constraint_schema, constraint_name, constraint_type, enforced, table_schema, table_name))
    FROM information_schema.table_constraints WHERE constraint_type <> 'CHECK'), JSON '[]'),
  'columns': COALESCE((SELECT JSON_ARRAYAGG(JSON_ARRAY(constraint_schema, constraint_name, column_name, ordinal_position, COALESCE(position_in_unique_constraint, 0)))
    FROM information_schema.key_column_usage), JSON '[]'),
  'synonyms': COALESCE((SELECT JSON_ARRAYAGG(JSON_ARRAY(synonym_schema, synonym_name, synonym_for_schema, synonym_for))
    FROM information_schema.synonyms), JSON '[]')) AS VARCHAR) AS answer
