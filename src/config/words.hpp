// SPDX-License-Identifier: MIT
// The words that settings choose from, each list in one place.
#pragma once

#include "base/log.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace vmr {

enum class Driver { virtiofs, ninep, automatic };
enum class AccessMode { passthrough, mapped, squash };
enum class CacheMode { automatic, none, metadata, always };
enum class Sandbox { automatic, name_space, chroot, none };
enum class Multidevs { remap, forbid, warn };
enum class WritePolicy { immediate };
enum class Accelerator { automatic, kvm, tcg };
enum class Architecture { automatic, x86_64, aarch64 };
enum class HelperExitPolicy { stop, keep };
/// What a persistent disk is made as.
enum class PersistBase { automatic, copy, overlay };
enum class Network { open, restricted };
/// What decides the next start of a VM, as ALLOW_IN_SHARE names it.
enum class StartKind {
  configuration,
  image,
  kernel,
  user_data,
  arguments,
  data,
  temporary,
  cache,
  programs,
  source
};

template <typename E>
struct Words;  // specialised below: `list`, an array of {word, value}

template <>
struct Words<Driver> {
  static constexpr std::array<std::pair<std::string_view, Driver>, 3> list = {
      {{"virtiofs", Driver::virtiofs}, {"9p", Driver::ninep}, {"auto", Driver::automatic}}};
};
template <>
struct Words<AccessMode> {
  static constexpr std::array<std::pair<std::string_view, AccessMode>, 3> list = {
      {{"passthrough", AccessMode::passthrough},
       {"mapped", AccessMode::mapped},
       {"squash", AccessMode::squash}}};
};
template <>
struct Words<CacheMode> {
  static constexpr std::array<std::pair<std::string_view, CacheMode>, 4> list = {
      {{"auto", CacheMode::automatic},
       {"none", CacheMode::none},
       {"metadata", CacheMode::metadata},
       {"always", CacheMode::always}}};
};
template <>
struct Words<Sandbox> {
  static constexpr std::array<std::pair<std::string_view, Sandbox>, 4> list = {
      {{"auto", Sandbox::automatic},
       {"namespace", Sandbox::name_space},
       {"chroot", Sandbox::chroot},
       {"none", Sandbox::none}}};
};
template <>
struct Words<Multidevs> {
  static constexpr std::array<std::pair<std::string_view, Multidevs>, 3> list = {
      {{"remap", Multidevs::remap}, {"forbid", Multidevs::forbid}, {"warn", Multidevs::warn}}};
};
template <>
struct Words<WritePolicy> {
  static constexpr std::array<std::pair<std::string_view, WritePolicy>, 1> list = {
      {{"immediate", WritePolicy::immediate}}};
};
template <>
struct Words<Accelerator> {
  static constexpr std::array<std::pair<std::string_view, Accelerator>, 3> list = {
      {{"auto", Accelerator::automatic}, {"kvm", Accelerator::kvm}, {"tcg", Accelerator::tcg}}};
};
template <>
struct Words<HelperExitPolicy> {
  static constexpr std::array<std::pair<std::string_view, HelperExitPolicy>, 2> list = {
      {{"stop", HelperExitPolicy::stop}, {"keep", HelperExitPolicy::keep}}};
};
template <>
struct Words<Network> {
  static constexpr std::array<std::pair<std::string_view, Network>, 2> list = {
      {{"open", Network::open}, {"restricted", Network::restricted}}};
};
template <>
struct Words<StartKind> {
  static constexpr std::array<std::pair<std::string_view, StartKind>, 10> list = {
      {{"config", StartKind::configuration},
       {"image", StartKind::image},
       {"kernel", StartKind::kernel},
       {"user-data", StartKind::user_data},
       {"arguments", StartKind::arguments},
       {"data", StartKind::data},
       {"temporary", StartKind::temporary},
       {"cache", StartKind::cache},
       {"programs", StartKind::programs},
       {"source", StartKind::source}}};
};
template <>
struct Words<LogFormat> {
  static constexpr std::array<std::pair<std::string_view, LogFormat>, 2> list = {
      {{"text", LogFormat::text}, {"json", LogFormat::json}}};
};

/// QEMU's names first, then Debian's.
template <>
struct Words<PersistBase> {
  static constexpr std::array<std::pair<std::string_view, PersistBase>, 3> list = {
      {{"auto", PersistBase::automatic},
       {"copy", PersistBase::copy},
       {"overlay", PersistBase::overlay}}};
};
template <>
struct Words<Architecture> {
  static constexpr std::array<std::pair<std::string_view, Architecture>, 4> list = {
      {{"x86_64", Architecture::x86_64},
       {"aarch64", Architecture::aarch64},
       {"amd64", Architecture::x86_64},
       {"arm64", Architecture::aarch64}}};
};

/// The word for `value`, as users write it.
template <typename E>
constexpr std::string_view word_for(E value) {
  for (const auto& [word, candidate] : Words<E>::list) {
    if (candidate == value) return word;
  }
  return {};
}

}  // namespace vmr
