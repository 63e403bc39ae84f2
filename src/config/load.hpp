// SPDX-License-Identifier: MIT
// All sources, merged by precedence and parsed: command line > environment > file > default.
#pragma once

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/arguments.hpp"
#include "config/config.hpp"
#include "config/raw_settings.hpp"

#include <string>
#include <vector>

namespace vmr {

/// A configuration and everything that was wrong with it. A field whose text was no value has its
/// default and is marked, so that later checks can go on and all problems are reported at once.
struct LoadedConfig {
  Config config;
  GivenTexts given;  ///< what it was made of
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
};

/// The text of a configuration file and its name; both empty when there is none.
struct ConfigFile {
  std::string name;
  std::string text;
};

/// Pure: reads nothing but its arguments. `environment` as in read_environment.
LoadedConfig load_config(const Arguments& arguments, const std::vector<std::string>& environment,
                         const ConfigFile& file);

/// How the log is to be written, as far as the words of the command line and the environment tell:
/// for what is said before there is a configuration.
LogFormat early_log_format(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment);

/// The configuration when nobody sets anything.
Config default_config();

}  // namespace vmr
