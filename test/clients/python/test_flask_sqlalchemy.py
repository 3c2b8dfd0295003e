"""Flask-SQLAlchemy: an application that deletes in its requests."""

from flask import Flask, abort
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import IntegrityError

from twin import orgs, users
from twin_psycopg2 import Psycopg2Test

db = SQLAlchemy()


class Org(db.Model):
    __tablename__ = 'orgs'
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.Text)
    users = db.relationship('User', backref='org', cascade='all, delete', passive_deletes=True)


class User(db.Model):
    __tablename__ = 'users'
    id = db.Column(db.Integer, primary_key=True)
    org_id = db.Column(db.ForeignKey('orgs.id'))


def create_app(url):
    app = Flask(__name__)
    app.config['SQLALCHEMY_DATABASE_URI'] = url
    # One connection for all requests, so that each finds what the one before has left.
    app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'pool_size': 1, 'max_overflow': 0, 'pool_pre_ping': True}
    db.init_app(app)

    @app.get('/users/<int:id>')
    def show(id):
        return {'org': db.get_or_404(User, id).org_id}

    @app.delete('/orgs/<int:id>')
    def delete(id):
        db.session.delete(db.get_or_404(Org, id))
        db.session.commit()
        return '', 204

    @app.delete('/orgs/<int:id>/after-all-not')
    def think_again(id):
        db.session.delete(db.get_or_404(Org, id))
        db.session.flush()
        abort(409, f'{User.query.count()} users would be left')

    @app.errorhandler(IntegrityError)
    def conflict(error):
        db.session.rollback()
        return {'constraint': error.orig.diag.constraint_name, 'left': Org.query.count()}, 409

    return app


class FlaskTest(Psycopg2Test):
    """Steps take an application here."""

    def connect(self, side):
        return create_app(side.url.replace('postgres:', 'postgresql:'))

    def close(self, app):
        with app.app_context():
            db.engine.dispose()


class Contexts(FlaskTest):
    """Application contexts"""

    def test_delete_an_object_and_what_belongs_to_it(self):
        def steps(app):
            with app.app_context():
                db.session.delete(db.session.get(Org, 1))
                db.session.commit()
                return User.query.count()

        self.expect(steps, 8, orgs(1))

    def test_delete_in_bulk_by_the_query_of_a_model(self):
        def steps(app):
            with app.app_context():
                count = Org.query.filter(Org.id < 4).delete()
                db.session.commit()
                return count

        self.expect(steps, 3, orgs(1, 2, 3))

    def test_delete_all_of_a_model(self):
        def steps(app):
            with app.app_context():
                db.session.execute(db.text('DELETE FROM badges'))
                count = User.query.delete()
                db.session.commit()
                return count

        gone = users(*(10 * org + user for org in (1, 2, 3, 4, 5) for user in (1, 2)))
        self.expect(steps, 10, {**gone, 'badges': {1}})

    def test_end_with_a_rollback_of_what_was_not_committed(self):
        def steps(app):
            with app.app_context():
                Org.query.filter_by(id=1).delete()
            with app.app_context():
                return User.query.count()

        self.expect(steps, 10, {})


class Requests(FlaskTest):
    """Requests"""

    def test_delete_and_the_next_one_finds_children_gone(self):
        def steps(app):
            client = app.test_client()
            before, deleted, after = client.get('/users/11'), client.delete('/orgs/1'), client.get('/users/11')
            return before.json, deleted.status_code, after.status_code

        self.expect(steps, ({'org': 1}, 204, 404), orgs(1))

    def test_that_break_a_rule_are_told_which_and_the_next_ones_go_on(self):
        def steps(app):
            client = app.test_client()
            answers = [client.delete(f'/orgs/{org}') for org in (4, 1, 5, 2)]
            return [(answer.status_code, answer.json) for answer in answers]

        answers = [
            (409, {'constraint': 'invoices_org_fkey', 'left': 5}),
            (204, None),
            (409, {'constraint': 'badges_user_fkey', 'left': 4}),
            (204, None),
        ]
        self.expect(steps, answers, orgs(1, 2))

    def test_that_abort_leave_everything_as_it_was(self):
        def steps(app):
            client = app.test_client()
            answer = client.delete('/orgs/1/after-all-not')
            return answer.status_code, '8 users would be left' in answer.text, client.get('/users/11').json

        self.expect(steps, (409, True, {'org': 1}), {})
