/** The mappers of Python, from Debian's packages, get through the proxy what they get from enforced keys. */
import { showPythonSuites } from './python-suites.js';

await showPythonSuites({
  test_sqlalchemy: 'SQLAlchemy ORM',
  test_sqlalchemy_bulk: 'SQLAlchemy bulk deletes and Core',
  test_sqlalchemy_trees: 'SQLAlchemy trees',
  test_sqlalchemy_recipe: 'SQLAlchemy recipe',
  test_sqlalchemy_asyncpg: 'SQLAlchemy on asyncpg',
  test_flask_sqlalchemy: 'Flask-SQLAlchemy',
  test_django: 'Django',
  test_django_schema: 'Django migrations',
});
