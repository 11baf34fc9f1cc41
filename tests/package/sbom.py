"""Prints the package's bill of materials (CycloneDX 1.5, JSON) from Cargo.lock: what is linked into the program.

    sbom.py SECONDS     the instant of the commit; nothing else of the machine or the moment is in it
"""
import datetime, json, subprocess, sys, uuid

metadata = json.loads(subprocess.run(
    ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"],
    check=True, capture_output=True).stdout)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]


def linked(node):
    """The packages that `node` needs to run or to build; not those of tests."""
    return sorted(dep["pkg"] for dep in node["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"]))


reached, waiting = set(), [root]
while waiting:
    at = waiting.pop()
    if at not in reached:
        reached.add(at)
        waiting.extend(linked(nodes[at]))

purl = {key: f"pkg:cargo/{packages[key]['name']}@{packages[key]['version']}" for key in reached}
checksums = {}
name = version = None
with open("Cargo.lock", encoding="utf-8") as lock:
    for line in lock:
        key, _, value = line.strip().partition(" = ")
        value = value.strip('"')
        if key == "name":
            name = value
        elif key == "version":
            version = value
        elif key == "checksum":
            checksums[name, version] = value


def component(key):
    package = packages[key]
    found = {"type": "library", "bom-ref": purl[key], "name": package["name"], "version": package["version"], "purl": purl[key]}
    if package.get("license"):
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if package.get("repository"):
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    if (package["name"], package["version"]) in checksums:
        found["hashes"] = [{"alg": "SHA-256", "content": checksums[package["name"], package["version"]]}]
    return found


components = [component(key) for key in sorted(reached - {root}, key=purl.get)]
program = component(root) | {"type": "application"}
stamp = datetime.datetime.fromtimestamp(int(sys.argv[1]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
serial = uuid.uuid5(uuid.NAMESPACE_URL, purl[root] + stamp + "".join(c["purl"] for c in components))
json.dump({
    "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}", "version": 1,
    "metadata": {"timestamp": stamp, "component": program},
    "components": components,
    "dependencies": [{"ref": purl[key], "dependsOn": [purl[dep] for dep in linked(nodes[key]) if dep in reached]}
                     for key in sorted(reached, key=purl.get)],
}, sys.stdout, indent=1)
print()
