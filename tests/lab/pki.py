"""Certificates for servers of a lab: a root of its own, good and expired."""
import os
import subprocess
import tempfile

CONFIG = """[ca]
default_ca = d
[d]
database = index
new_certs_dir = .
default_md = sha256
policy = p
copy_extensions = copy
rand_serial = yes
unique_subject = no
[p]
commonName = supplied
"""
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Pki:
    """root: the file that clients trust. Each name makes NAME.pem, NAME.key."""

    def __init__(self):
        self.temp = tempfile.TemporaryDirectory()
        os.chmod(self.temp.name, 0o755)
        self.dir = self.temp.name
        self.root = f"{self.dir}/root.pem"
        with open(f"{self.dir}/cnf", "w", encoding="ascii") as f:
            f.write(CONFIG)
        with open(f"{self.dir}/index", "w", encoding="ascii"):
            pass
        self.openssl("req", "-x509", *KEY, "-keyout", "root.key", "-out",
                     "root.pem", "-subj", "/CN=Lab root", "-days", "30")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.dir, check=True,
                       capture_output=True)

    def make(self, name, *hosts, start="20200101000000Z",
             end="20490101000000Z"):
        """A certificate for these hosts. @return its files"""
        names = ",".join(f"DNS:{host}" for host in hosts)
        self.openssl("req", *KEY, "-keyout", f"{name}.key", "-out",
                     f"{name}.csr", "-subj", f"/CN={hosts[0]}", "-addext",
                     f"subjectAltName={names}")
        self.openssl("ca", "-batch", "-config", "cnf", "-cert", "root.pem",
                     "-keyfile", "root.key", "-in", f"{name}.csr", "-out",
                     f"{name}.pem", "-startdate", start, "-enddate", end,
                     "-notext")
        os.chmod(f"{self.dir}/{name}.key", 0o644)
        return f"{self.dir}/{name}.pem", f"{self.dir}/{name}.key"
