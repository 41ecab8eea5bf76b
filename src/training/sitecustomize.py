# Runs first in every Python that `gate record` starts, directly or through a launcher, and writes down which Python it is.
# What goes wrong here must not disturb training, so nothing that goes wrong is told. Python 2 can read it too.
import os
import sys


def packages(paths):
    """Name and version of what is installed, of the first one on the path where there are several."""
    found = {}
    for folder in paths:
        try:
            entries = sorted(os.listdir(folder))
        except Exception:
            continue
        for entry in entries:
            if not entry.endswith(('.dist-info', '.egg-info')):
                continue
            name, version = described(os.path.join(folder, entry))
            if name and version:
                found.setdefault(name.lower().replace('_', '-').replace('.', '-'), [name, version])
    return sorted(found.values())


def described(path):
    """The head of a package's own description."""
    name = version = None
    for below in ('METADATA', 'PKG-INFO', ''):
        try:
            with open(os.path.join(path, below) if below else path, 'rb') as file:
                head = file.read(1 << 16).decode('utf-8', 'replace')
        except Exception:
            continue
        for line in head.splitlines():
            if not line.strip():
                break
            if line.startswith('Name:') and not name:
                name = line[5:].strip()
            elif line.startswith('Version:') and not version:
                version = line[8:].strip()
        break
    return name, version


def described_python(paths):
    version = '.'.join(str(part) for part in sys.version_info[:3])
    if sys.version_info[3] != 'final':
        version = sys.version.split()[0].rstrip('+')
    return {'version': version, 'packages': packages(paths)}


def observe(here):
    import binascii
    import json

    folder = os.path.dirname(here)

    def write(name, value):
        handle = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, 'w') as file:
            file.write(json.dumps(value))

    def main():
        """The file that this Python runs, if it is one."""
        words = getattr(sys, 'orig_argv', None) or getattr(sys, 'argv', None) or ['']
        first = (getattr(sys, 'argv', None) or [''])[0]
        if first == '-m' and '-m' in words[:-1]:
            module = words[words.index('-m') + 1].replace('.', os.sep)
            places = [module + '.py', os.path.join(module, '__main__.py')]
        else:
            places = [first] if first not in ('', '-', '-c', '-m') else []
        return next((os.path.realpath(place) for place in places if os.path.exists(place)), None)

    paths = [path for path in sys.path if path not in ('', '.')]
    environment = '%08x' % (binascii.crc32(repr([sys.executable, sys.prefix, paths]).encode()) & 0xFFFFFFFF)
    rank = next((os.environ[name] for name in RANKS if os.environ.get(name, '').isdigit()), None)
    size = next((os.environ[name] for name in SIZES if os.environ.get(name, '').isdigit()), '1')
    own = binascii.hexlify(os.urandom(8)).decode()
    started = {'id': own, 'parent': os.environ.get('GATE_RECORD_PARENT'), 'environment': environment,
               'prefix': os.path.realpath(sys.prefix), 'main': main()}
    os.environ['GATE_RECORD_PARENT'] = own
    try:
        write('environment-%s' % environment, described_python(paths))
    except OSError:
        pass  # Another process of the same Python was first.
    write('process-' + own, started)
    if rank is not None and int(size) > 1:
        lines = os.path.join(folder, 'lines')
        if os.environ.get('GATE_RECORD_FILE') == lines:
            os.environ['GATE_RECORD_FILE'] = lines + '.rank-' + rank
        watch(folder, rank)

    import atexit

    @atexit.register
    def ended():
        try:
            mlflow = sys.modules.get('mlflow')
            if mlflow is not None:
                write('mlflow-' + own, {'uri': mlflow.get_tracking_uri(), 'folder': os.getcwd()})
        except Exception:
            pass


RANKS = ('RANK', 'OMPI_COMM_WORLD_RANK', 'PMI_RANK', 'SLURM_PROCID')
SIZES = ('WORLD_SIZE', 'OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'SLURM_NTASKS')


def watch(folder, rank):
    """Notes which of the promised files this rank opens for writing."""
    try:
        with open(os.path.join(folder, 'promised')) as file:
            promised = set(file.read().splitlines())
    except Exception:
        return
    if not promised or not hasattr(sys, 'addaudithook'):
        return
    noted = set()

    def hook(event, arguments):
        try:
            if event == 'open':
                path, mode, flags = arguments
                writes = any(c in mode for c in 'wax+') if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
            elif event == 'os.rename':
                path, writes = arguments[1], True
            else:
                return
            if not writes or not isinstance(path, (str, bytes)):
                return
            path = os.path.realpath(os.fsdecode(path))
            if path in promised and path not in noted:
                noted.add(path)
                with open(os.path.join(folder, 'written.rank-' + rank), 'a') as file:
                    file.write(path + '\n')
        except Exception:
            pass

    sys.addaudithook(hook)


def begin():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != here]
    try:
        observe(here)
    except Exception:
        pass
    # A `sitecustomize` of this Python's own runs as it would without this one.
    ours = sys.modules.pop('sitecustomize', None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        if ours is not None:
            sys.modules['sitecustomize'] = ours


if __name__ == 'sitecustomize':
    begin()
