"""One question of a kind, put in a node of an open lab."""
import json
import os

ASK_ONE = os.environ["ASK_ONE"]


class Ended:
    """How it ended: the members of struct ask_result."""

    def __init__(self, text):
        value = json.loads(text)["facts"][0]["value"]
        self.all = value
        self.end = value["end"]
        self.layer = value["layer"]
        self.error = value["error"]
        self.fields = value["fields"]
        self.evidence = value["evidence"]

    def __getitem__(self, key):
        return self.fields[key]

    def __repr__(self):
        return json.dumps(self.all, indent=1)


def ask(room, kind, via, host, addr, ports, env=None, **keys):
    """Ask from the client of a rig.Lab. @return its Ended"""
    words = [f"{key}={value}" for key, value in keys.items()]
    status, out, err = room.run("client", ASK_ONE, kind, via, host, addr,
                                ports, *words,
                                env={"PRUMO_STAY_HOME": "1", **(env or {})})
    assert status == 0 and out, (status, err)
    return Ended(out)
