"""Installing tutti-hub: one question, whose answer is written into a configuration that nothing else ever changes."""
import re

from test_package import newer
from tuttitest import typist

CONFIG = "/etc/tutti/tutti-hub.conf"


def config(machine):
    return (machine.root / CONFIG.lstrip("/")).read_text()


def listen(machine):
    return re.findall(r"^listen = (.*)$", config(machine), re.M)


def ask(machine, answer, *words):
    """What a terminal shows of a command that asks it."""
    code, shown = typist.type_line([*machine.inside, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", "LC_ALL=C",
                                    "DEBIAN_FRONTEND=teletype", *words], [(r"\[(yes/no|ja/nein)\] $", f"{answer}\n")], timeout_s=120)
    assert code == 0, shown
    return shown


def into(machine, package):
    (machine.root / "root" / package.name).write_bytes(package.read_bytes())
    return f"/root/{package.name}"


def test_it_listens_for_this_machine_only_where_nobody_says_otherwise(make_box, packages):
    machine = make_box("machine")
    said = machine.install(packages["tutti-hub"])
    assert listen(machine) == [] and "this machine only" in said
    assert machine.run("stat", "-c", "%A %U %G", CONFIG)[1].split() == ["-rw-r-----", "root", "root"]
    machine.run("tutti-hub", "--check-config")


def test_a_preseeded_yes(make_box, packages):
    machine = make_box("machine")
    machine.run("sh", "-c", "echo tutti-hub tutti-hub/lan boolean true | debconf-set-selections")
    said = machine.install(packages["tutti-hub"])
    assert listen(machine) == ["0.0.0.0:8700"]
    assert re.search(r"the page of the house is http://\S+\.local:8700/", said), said
    machine.run("tutti-hub", "--check-config")
    machine.run("dpkg", "--purge", "tutti-hub")
    assert not (machine.root / "etc/tutti").exists()
    assert "tutti-hub/lan" not in machine.run("debconf-show", "tutti-hub")[1]
    # Nothing is remembered: it is the default again.
    machine.install(packages["tutti-hub"])
    assert listen(machine) == []


def test_it_asks_and_asks_again_when_told_to(make_box, packages):
    machine = make_box("machine")
    shown = ask(machine, "yes", "dpkg", "--install", into(machine, packages["tutti-hub"]))
    assert "speakers and phones" in shown and "the page of the house is http://" in shown
    assert listen(machine) == ["0.0.0.0:8700"]
    machine.write(CONFIG, config(machine).replace("0.0.0.0:8700", "0.0.0.0:9000") + "; a line of ours\n", 0o640)
    ours = config(machine)
    ask(machine, "yes", "dpkg-reconfigure", "tutti-hub")
    assert config(machine) == ours
    ask(machine, "no", "dpkg-reconfigure", "tutti-hub")
    assert config(machine) == ours.replace("0.0.0.0:9000", "127.0.0.1:9000")


def test_it_asks_germans_in_german(make_box, packages):
    machine = make_box("machine")
    machine.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "debconf-i18n")  # as every Debian but the least has it
    shown = ask(machine, "yes", "env", "LC_ALL=C.UTF-8", "LANGUAGE=de", "dpkg", "--install", into(machine, packages["tutti-hub"]))
    shown = " ".join(shown.split())  # lines are broken to a terminal's width
    assert "Dürfen Lautsprecher und Telefone dieses Netzes den Hub erreichen?" in shown
    assert "wünschen" in shown and "speakers" not in shown


def test_a_configuration_that_is_there_is_never_touched(make_box, packages, tmp_path):
    machine = make_box("machine")
    ours = "[server]\nlisten = 127.0.0.1:9000\n"
    machine.write(CONFIG, ours, 0o600)
    machine.run("sh", "-c", "echo tutti-hub tutti-hub/lan boolean true | debconf-set-selections")
    shown = ask(machine, "yes", "dpkg", "--install", into(machine, packages["tutti-hub"]))
    assert "[yes/no]" not in shown and config(machine) == ours
    machine.install(newer(packages["tutti-hub"], tmp_path, "/usr/share/tutti/tutti-hub.conf"))
    assert config(machine) == ours
    machine.run("dpkg", "--remove", "tutti-hub")
    machine.install(packages["tutti-hub"], options=["--force-downgrade"])
    assert config(machine) == ours
