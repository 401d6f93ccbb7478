"""--backend-url URL (or TUTTI_BACKEND_URL) points the contract suite at any backend."""
import os


def pytest_addoption(parser):
    parser.addoption("--backend-url", default=os.environ.get("TUTTI_BACKEND_URL"),
                     help="run the contract suite against this backend instead of a tutti-hub of this build")


def pytest_configure(config):
    config.addinivalue_line("markers", "difference(what): the full backend, as it is known, behaves otherwise")


def pytest_collection_modifyitems(items):
    """What a failure means stands in the results, for whoever reads them by a program."""
    for item in items:
        mark = item.get_closest_marker("difference")
        if mark:
            item.user_properties.append(("difference", mark.args[0]))
