#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the recipe's methods without Conan: stubs stand for what it imports, the files are real."""

import fnmatch
import importlib.util
import pathlib
import re
import shutil
import sys
import types

here = pathlib.Path(__file__).resolve().parent
root = here.parents[2]


class Settings(types.SimpleNamespace):
    pass


class CppInfo:
    def __init__(self):
        self.bindirs, self.libdirs, self.includedirs = ["bin"], ["lib"], ["include"]
        self.system_libs, self.properties = [], {}

    def set_property(self, name, value):
        self.properties[name] = value


class Info:
    cleared = False

    def clear(self):
        self.cleared = True


class Invalid(Exception):
    pass


def copy(_, pattern, source, target):
    for path in pathlib.Path(source).rglob("*"):
        relative = path.relative_to(source)
        if path.is_file() and fnmatch.fnmatch(relative.as_posix(), pattern):
            into = pathlib.Path(target) / relative
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)


def check_min_cppstd(recipe, least):
    if int(recipe.settings.compiler.cppstd) < least:
        raise Invalid


def install_stubs():
    def module(name, **content):
        made = types.ModuleType(name)
        made.__dict__.update(content)
        sys.modules[name] = made

    module("conan", ConanFile=type("ConanFile", (), {}))
    module("conan.tools")
    module("conan.tools.build", check_min_cppstd=check_min_cppstd)
    module("conan.tools.files", copy=copy, load=lambda _, path: pathlib.Path(path).read_text("utf-8"))
    module("conan.tools.layout", basic_layout=lambda recipe, src_folder: None)


def recipe(cppstd="20", system="Linux", threads=True):
    made = loaded.SsekitConan()
    made.recipe_folder = str(here)
    made.settings = Settings(os=system, compiler=Settings(cppstd=cppstd))
    made.options = Settings(threads=threads)
    made.cpp_info, made.info = CppInfo(), Info()
    return made


def expect(holds, what):
    if not holds:
        sys.exit(f"The recipe is not in order: {what}")


def refuses(made):
    try:
        made.validate()
    except Invalid:
        return True
    return False


def check(scratch):
    made = recipe()
    made.set_version()
    header = (root / "include/ssekit/version.hpp").read_text("utf-8")
    numbers = [re.search(rf"_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    expect(made.version == ".".join(numbers), f"version {made.version}")
    expect((made.name, made.package_type) == ("ssekit", "header-library"), "name, package_type")
    expect(made.options_are_known(), "default_options")
    expect(refuses(recipe("17")) and not refuses(recipe("20")), "validate")

    shutil.rmtree(scratch, ignore_errors=True)
    made.export_sources_folder = made.source_folder = str(scratch / "sources")
    made.package_folder = str(scratch / "package")
    made.export_sources()
    made.layout()
    made.package()
    packed = {path.relative_to(scratch / "package") for path in (scratch / "package").rglob("*.*")}
    headers = {path.relative_to(root) for path in (root / "include").rglob("*.*")}
    expect(packed == headers, f"it packs other files: {sorted(packed ^ headers)}")
    expect((scratch / "package/licenses/LICENSE").is_file(), "no licence")

    made.package_id()
    expect(made.info.cleared, "its package would depend on settings")
    made.package_info()
    info = made.cpp_info
    expect(info.bindirs == [] and info.libdirs == [], "a header library has no such folders")
    expect(info.properties["cmake_file_name"] == "ssekit", "cmake_file_name")
    expect(info.properties["cmake_target_name"] == "ssekit::ssekit", "cmake_target_name")
    expect(info.properties["pkg_config_name"] == "ssekit", "pkg_config_name")
    expect(info.system_libs == ["pthread"], "threads on Linux")
    for other in (recipe(system="Windows"), recipe(threads=False)):
        other.package_info()
        expect(other.cpp_info.system_libs == [], "no threads library")


install_stubs()
specification = importlib.util.spec_from_file_location("conanfile", here / "conanfile.py")
sys.dont_write_bytecode = True
loaded = importlib.util.module_from_spec(specification)
specification.loader.exec_module(loaded)
loaded.SsekitConan.options_are_known = lambda self: all(
    value in type(self).options[name] for name, value in self.default_options.items()
)
check(pathlib.Path(sys.argv[1]))
