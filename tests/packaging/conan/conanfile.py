# SPDX-License-Identifier: MIT
"""Packs the clone that it lies in: conan create tests/packaging/conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class SsekitConan(ConanFile):
    name = "ssekit"
    description = "Header-only Server-Sent Events toolkit"
    license = "MIT"
    topics = ("sse", "server-sent-events", "eventsource", "http", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # shared_hub.hpp and some adapters use threads, which some systems have in a library.
    options = {"threads": [True, False]}
    default_options = {"threads": True}
    no_copy_source = True

    @property
    def _clone(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._clone, "include", "ssekit", "version.hpp"))
        numbers = re.findall(r"define SSEKIT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header)
        self.version = ".".join(numbers)

    def export_sources(self):
        copy(self, "LICENSE", self._clone, self.export_sources_folder)
        copy(self, "include/*", self._clone, self.export_sources_folder)

    def layout(self):
        basic_layout(self, src_folder=".")

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "include/*", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "ssekit")
        self.cpp_info.set_property("cmake_target_name", "ssekit::ssekit")
        self.cpp_info.set_property("pkg_config_name", "ssekit")
        if self.options.threads and self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
