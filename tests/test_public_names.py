import subprocess
import sys

import tcga_coherent


def test_every_public_name_is_there_and_what_it_says() -> None:
    for name in tcga_coherent.__all__:
        value = getattr(tcga_coherent, name)
        if name != "__version__":
            assert value.__name__ == name
    assert tcga_coherent.__all__ == sorted(tcga_coherent.__all__)


def test_the_package_is_imported_without_what_is_slow() -> None:
    code = "import sys, tcga_coherent; sys.exit(bool({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
