// SPDX-License-Identifier: MIT
#include "support/bom.hpp"

#include "support/guest.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <regex>

namespace vmr::test {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  REQUIRE_MESSAGE(value != nullptr, key);
  REQUIRE_MESSAGE(value->is_string(), key);
  return std::string(value->as_string());
}

const json::array& list_at(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  REQUIRE_MESSAGE(value != nullptr, key);
  REQUIRE_MESSAGE(value->is_array(), key);
  return value->as_array();
}

bool matches(const std::string& text, const char* pattern) {
  return std::regex_match(text, std::regex(pattern));
}

/// Checks what is said of a package; returns its identifier.
std::string check_package(const json::object& package, const std::set<std::string>& own_licences) {
  const auto id = text_at(package, "SPDXID");
  CAPTURE(id);
  CHECK(matches(id, "SPDXRef-[A-Za-z0-9.-]+"));
  CHECK_FALSE(text_at(package, "name").empty());
  CHECK_FALSE(text_at(package, "versionInfo").empty());
  CHECK(matches(text_at(package, "supplier"), "Organization: .+"));
  CHECK(text_at(package, "downloadLocation") == "NOASSERTION");
  CHECK(text_at(package, "licenseConcluded") == "NOASSERTION");
  CHECK(text_at(package, "copyrightText") == "NOASSERTION");
  const auto licence = text_at(package, "licenseDeclared");
  CHECK(matches(licence, "NOASSERTION|[A-Za-z0-9.()-]+( (AND|OR) [A-Za-z0-9.()-]+)*"));
  const std::regex own("LicenseRef-[A-Za-z0-9.-]+");
  for (auto at = std::sregex_iterator(licence.begin(), licence.end(), own);
       at != std::sregex_iterator(); ++at) {
    CHECK_MESSAGE(own_licences.count(at->str()) == 1, at->str());
  }
  return id;
}

}  // namespace

std::set<std::string> installed_packages(const std::string& dpkg_output) {
  const std::string state = "installed ";
  std::set<std::string> packages;
  for (const auto& line : lines_of(dpkg_output)) {
    if (line.starts_with(state)) packages.insert(line.substr(state.size()));
  }
  return packages;
}

std::set<std::string> listed_packages(const std::string& bom) {
  std::set<std::string> packages;
  const auto document = json::parse(bom).as_object();
  for (const auto& value : list_at(document, "packages")) {
    const auto& package = value.as_object();
    const bool is_installed = text_at(package, "SPDXID").starts_with("SPDXRef-deb-");
    if (!is_installed) continue;
    const auto url =
        text_at(list_at(package, "externalRefs").at(0).as_object(), "referenceLocator");
    std::smatch found;
    REQUIRE_MESSAGE(std::regex_match(url, found, std::regex("pkg:deb/debian/.*\\?arch=(.*)&.*")),
                    url);
    packages.insert(fmt::format("{} {} {}", text_at(package, "name"),
                                text_at(package, "versionInfo"), found[1].str()));
  }
  return packages;
}

std::set<std::string> linked_packages(const std::string& bom) {
  std::set<std::string> packages;
  const auto document = json::parse(bom).as_object();
  std::map<std::string, std::string> names;
  for (const auto& value : list_at(document, "packages")) {
    const auto& package = value.as_object();
    names[text_at(package, "SPDXID")] = text_at(package, "name");
  }
  for (const auto& value : list_at(document, "relationships")) {
    const auto& relation = value.as_object();
    if (text_at(relation, "relationshipType") != "STATIC_LINK") continue;
    CHECK(text_at(relation, "spdxElementId") == "SPDXRef-vm-runner");
    packages.insert(names[text_at(relation, "relatedSpdxElement")]);
  }
  return packages;
}

void check_bom(const std::string& bom) {
  const auto document = json::parse(bom).as_object();
  CHECK(text_at(document, "spdxVersion") == "SPDX-2.3");
  CHECK(text_at(document, "dataLicense") == "CC0-1.0");
  CHECK(text_at(document, "SPDXID") == "SPDXRef-DOCUMENT");
  CHECK(text_at(document, "name") == "docker-vm-runner");
  CHECK(matches(text_at(document, "documentNamespace"), "https://[^#]+"));
  const auto& made = document.at("creationInfo").as_object();
  CHECK(matches(text_at(made, "created"), "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"));
  CHECK(list_at(made, "creators") == json::array{"Tool: make-bom"});

  std::set<std::string> licences;
  for (const auto& licence : list_at(document, "hasExtractedLicensingInfos")) {
    CHECK(licences.insert(text_at(licence.as_object(), "licenseId")).second);
    CHECK_FALSE(text_at(licence.as_object(), "extractedText").empty());
  }
  std::set<std::string> ids;
  for (const auto& package : list_at(document, "packages")) {
    CHECK(ids.insert(check_package(package.as_object(), licences)).second);
  }
  CHECK(ids.count("SPDXRef-vm-runner") == 1);

  std::set<std::string> related;
  for (const auto& relationship : list_at(document, "relationships")) {
    related.insert(text_at(relationship.as_object(), "relatedSpdxElement"));
  }
  CHECK(related == ids);
}

}  // namespace vmr::test
