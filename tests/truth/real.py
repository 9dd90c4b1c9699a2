# SPDX-License-Identifier: BSD-2-Clause
"""Programs as people have them: Debian's own, and small ones that use Debian's libraries. Each is made
in a directory: make(base) returns (the modules it needs, argv)."""
import os
import sys
import zipapp

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import lib  # noqa: E402


def write(base, files):
    for name, text in files.items():
        path = os.path.join(base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def script(base, **files):
    """Modules by name, of which one is main."""
    write(base, {name + ".py": text for name, text in files.items()})
    return [lib.SYSTEM, base + "/main.py"]


def scipy(base):
    return ["scipy"], script(
        base, main="import stat_of\nimport fit\nimport sig\nimport json\n",
        stat_of="import numpy\nfrom scipy import stats\n", fit="from scipy.optimize import minimize\n",
        sig="import scipy.signal\nimport csv\n")


def sklearn(base):
    return ["sklearn"], script(
        base, main="import model\nimport report\n",
        model="from sklearn.linear_model import LogisticRegression\nimport sklearn.svm\n",
        report="import pandas as pd\nimport html.parser\n")


def pandas(base):
    return ["pandas"], script(
        base, main="import load\nimport plot\n", load="import pandas as pd\nimport sqlite3\n", plot="import numpy as np\nimport decimal\n")


def sqlalchemy(base):
    return ["sqlalchemy"], script(
        base, main="import models\nimport store\nimport argparse\n",
        models="from sqlalchemy import Column, Integer\nfrom sqlalchemy.ext import declarative\n",
        store="import sqlalchemy.orm\nimport sqlite3\nimport logging.config\n")


def boto3(base):
    return ["boto3"], script(
        base, main="import upload\nimport fetch\n",
        upload="import boto3\nimport xml.dom.minidom\n", fetch="import urllib.request\nimport boto3.session\n")


def fastapi(base):
    return ["fastapi"], script(
        base, main="import api\nimport jobs\n",
        api="from fastapi import FastAPI\nimport jobs\n", jobs="import concurrent.futures\nimport asyncio\n")


def django(base):
    settings = ("SECRET_KEY='x'\nINSTALLED_APPS=['django.contrib.admin','django.contrib.auth',"
                "'django.contrib.contenttypes','django.contrib.sessions','django.contrib.messages',"
                "'shop']\nROOT_URLCONF='site_of.urls'\nDATABASES={'default':{'ENGINE':"
                "'django.db.backends.sqlite3','NAME':':memory:'}}\nMIDDLEWARE=["
                "'django.contrib.sessions.middleware.SessionMiddleware',"
                "'django.contrib.auth.middleware.AuthenticationMiddleware',"
                "'django.contrib.messages.middleware.MessageMiddleware']\nTEMPLATES=[{'BACKEND':"
                "'django.template.backends.django.DjangoTemplates','APP_DIRS':True,'OPTIONS':"
                "{'context_processors':['django.template.context_processors.request',"
                "'django.contrib.auth.context_processors.auth',"
                "'django.contrib.messages.context_processors.messages']}}]\n"
                "DEFAULT_AUTO_FIELD='django.db.models.AutoField'\n")
    write(base, {
        "site_of/__init__.py": "", "site_of/settings.py": settings, "shop/__init__.py": "",
        "site_of/urls.py": "from django.urls import path\nfrom shop import views\nurlpatterns = []\n",
        "shop/views.py": "import json\nimport decimal\nfrom shop import charts\n",
        "shop/charts.py": "import numpy\nimport xml.etree.ElementTree\n",
        "shop/models.py": "from django.db import models\nclass Item(models.Model):\n"
        "    name = models.TextField()\n",
        "manage.py": "import os\nimport sys\ndef main():\n"
        "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_of.settings')\n"
        "    from django.core.management import execute_from_command_line\n"
        "    execute_from_command_line(sys.argv)\nif __name__ == '__main__':\n    main()\n"})
    return ["django"], [lib.SYSTEM, base + "/manage.py", "check"]


def pytest(base):
    write(base, {
        "suite/test_a.py": "import json\nimport decimal\ndef test_it(): assert 1\n",
        "suite/test_b.py": "import xml.dom.minidom\nimport sqlite3\ndef test_it(): assert 1\n",
        "suite/conftest.py": "import numpy\nimport argparse\n"})
    return ["pytest"], [lib.SYSTEM, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                        base + "/suite"]


def zipped(base):
    """Without bytecode, as the zipapp module makes them."""
    functions = "".join("def f%d(x):\n    return [x + %d for x in range(x)]\n" % (n, n)
                        for n in range(300))
    write(base + "/source", {
        "__main__.py": "import cli\nimport util\n", "cli.py": "import argparse\nimport core\n",
        "core.py": "import xml.dom.minidom\nimport util\n",
        "util.py": "import decimal\nimport sqlite3\n" + functions})
    zipapp.create_archive(base + "/source", base + "/app.pyz")
    return [], [lib.SYSTEM, base + "/app.pyz"]


def command(*argv, needs=()):
    return lambda base: (list(needs), [lib.SYSTEM, *argv])


PROGRAMS = {
    "scipy": scipy, "sklearn": sklearn, "pandas": pandas, "sqlalchemy": sqlalchemy, "boto3": boto3,
    "fastapi": fastapi, "django": django, "pytest": pytest, "zipapp": zipped,
    "mercurial": command("/usr/bin/hg", "version", needs=["mercurial"]),
    "ansible": command("/usr/bin/ansible", "--version", needs=["ansible"]),
    "mypy": command("-m", "mypy", "--version", needs=["mypy"]),
    "black": command("-m", "black", "--version", needs=["black"]),
    "ipython": command("-m", "IPython", "--no-banner", "-c", "1", needs=["IPython"]),
    "jupyter": command("-m", "jupyter", "--version", needs=["jupyter"]),
}
