// SPDX-License-Identifier: MIT
// docker/kubernetes: the pod is really run, by podman's `kube play`; of the StatefulSet all is
// checked that needs no cluster.
#include "build_paths.hpp"
#include "support/container.hpp"
#include "support/guest.hpp"
#include "support/public_key.hpp"
#include "support/wait_for_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace vmr::test;

const std::string manifests = SOURCE_FOLDER "/docker/kubernetes/";

bool has_kube_play() {
  if (!has_docker()) return false;
  if (run_docker({"kube", "play", "--help"}).ok) return true;
  MESSAGE("SKIPPED: this Docker command has no `kube play`");
  return false;
}

/// The entry of `list` with this name.
YAML::Node named(const YAML::Node& list, const std::string& name) {
  for (const auto& entry : list) {
    if (entry["name"].as<std::string>() == name) return entry;
  }
  FAIL("there is no ", name);
  return {};
}

void set_variable(YAML::Node container, const std::string& name, const std::string& value) {
  YAML::Node added;
  for (const auto& variable : container["env"]) {
    if (variable["name"].as<std::string>() != name) added.push_back(variable);
  }
  YAML::Node variable;
  variable["name"] = name;
  variable["value"] = value;
  added.push_back(variable);
  container["env"] = added;
}

void mount_host_path(YAML::Node spec, const std::string& name, const std::string& path) {
  YAML::Node volume;
  volume["name"] = name;
  volume["hostPath"]["path"] = path;
  spec["volumes"].push_back(volume);
  YAML::Node mount;
  mount["name"] = name;
  mount["mountPath"] = "/" + name;
  mount["readOnly"] = true;
  spec["containers"][0]["volumeMounts"].push_back(mount);
}

/// pod.yaml with the tiny guest, which runs `script` and then waits for the power button, and the
/// folder `share` of `work`.
YAML::Node pod_of_tiny_guest(const TemporaryFolder& work, const std::string& name,
                             const std::string& script) {
  write_text(work / "user-data", guest_script(script));
  auto pod = YAML::LoadFile(manifests + "pod.yaml");
  pod["metadata"]["name"] = name;
  auto spec = pod["spec"];
  // Not every machine has a network for pods, and none is needed.
  spec["hostNetwork"] = true;
  auto container = spec["containers"][0];
  container.remove("ports");
  container["image"] = built_image();
  set_variable(container, "BASE_IMAGE", "/guest");
  set_variable(container, "CMDLINE", "tiny.stay");
  set_variable(container, "CLOUD_INIT_USER_DATA", "/user-data");
  set_variable(container, "MEMORY", "256");
  set_variable(container, "CPUS", "1");
  set_variable(container, "ACCEL", "tcg");
  set_variable(container, "SSH_PORT", "0");
  named(spec["volumes"], "share")["hostPath"]["path"] = work / "share";
  mount_host_path(spec, "guest", tiny_guest());
  mount_host_path(spec, "user-data", work / "user-data");
  return pod;
}

/// A pod that is there for as long as this is.
class PlayedPod {
 public:
  PlayedPod(const TemporaryFolder& work, const YAML::Node& pod)
      : name_(pod["metadata"]["name"].as<std::string>()), file_(work / "pod.yaml") {
    write_text(file_, YAML::Dump(pod));
    const auto played = run_docker({"kube", "play", file_});
    if (!played.ok) down();
    REQUIRE_MESSAGE(played.ok, played.output << played.errors);
  }
  ~PlayedPod() { down(); }
  PlayedPod(const PlayedPod&) = delete;
  PlayedPod& operator=(const PlayedPod&) = delete;

  [[nodiscard]] std::string container() const { return name_ + "-vm"; }
  bool down() const { return run_docker({"kube", "down", file_}).ok; }

  [[nodiscard]] std::string log() const {
    const auto log = run_docker({"logs", container()});
    return log.output + log.errors;
  }

  /// Its containers, and itself.
  [[nodiscard]] std::string all_that_is_there() const {
    return run_docker({"ps", "--all", "--quiet", "--filter", "name=" + name_}).output +
           run_docker({"pod", "ps", "--quiet", "--filter", "name=" + name_}).output;
  }

 private:
  std::string name_;
  std::string file_;
};

/// The result of a probe of the pod's container, as the kubelet does it.
vmr::Captured probe(const PlayedPod& played, const YAML::Node& pod, const std::string& which) {
  std::vector<std::string> words = {"exec", played.container()};
  for (const auto& word : pod["spec"]["containers"][0][which]["exec"]["command"]) {
    words.push_back(word.as<std::string>());
  }
  return run_docker(words);
}

}  // namespace

TEST_CASE("the pod's guest has its share and is healthy, and nothing of it is left") {
  if (!has_kube_play()) return;
  const TemporaryFolder work;
  fs::create_directories(work / "share");
  write_text(work / "share/from-host", "hello guest\n");
  const auto pod = pod_of_tiny_guest(work, fmt::format("vm-runner-test-{}", ::getpid()),
                                     "say \"$(cat /mnt/share/from-host)\"\n"
                                     "cd /mnt/share\n"
                                     "umask 022\n"
                                     "echo root >by-root\n"
                                     "chown 1000:1000 by-root\n"
                                     "touch booted\n");
  const PlayedPod played(work, pod);

  CHECK(wait_for_file(work / "share/booted"));
  const auto ready = probe(played, pod, "readinessProbe");
  CHECK(ready.output == "healthy\n");
  CHECK(ready.ok);
  CHECK(probe(played, pod, "startupProbe").ok);
  CHECK(probe(played, pod, "livenessProbe").ok);
  CHECK(run_docker({"stop", played.container()}).ok);

  const auto run = run_docker({"logs", played.container()});
  INFO(run.output << run.errors);
  CHECK(run_docker({"wait", played.container()}).output == "0\n");
  CHECK(says(run, "[INFO] Filesystem #1: mounted in the guest at /mnt/share"));
  CHECK(says(run, "SAY: hello guest"));
  CHECK(says(run, "[INFO] The guest powered off"));
  CHECK_FALSE(says(run, "[ERROR]"));
  CHECK(describe_file(work / "share/by-root") == "0:0 0644 'root\n'");
  CHECK(played.all_that_is_there() != "");
  CHECK(played.down());
  CHECK(played.all_that_is_there() == "");
}

TEST_CASE("a pod whose share cannot be mounted lives, but is not ready") {
  if (!has_kube_play()) return;
  const TemporaryFolder work;
  fs::create_directories(work / "share");
  auto pod = pod_of_tiny_guest(work, fmt::format("vm-runner-test-{}", ::getpid()),
                               "touch /mnt/share/booted\n");
  auto container = pod["spec"]["containers"][0];
  set_variable(container, "FILESYSTEM2_SOURCE", "/guest");
  // The tiny guest's /init is a file, so the guest cannot make this folder.
  set_variable(container, "FILESYSTEM2_MOUNT", "/init/guest");
  set_variable(container, "FILESYSTEM2_READONLY", "1");
  const PlayedPod played(work, pod);

  CHECK_MESSAGE(wait_for_file(work / "share/booted"), played.log());
  const auto ready = probe(played, pod, "readinessProbe");
  CHECK_FALSE(ready.ok);
  CHECK(says(ready, "Filesystem #2"));
  CHECK(probe(played, pod, "livenessProbe").ok);
  CHECK(played.down());
}

TEST_CASE("the StatefulSet is the pod of pod.yaml, with volumes of its own") {
  const auto pod = YAML::LoadFile(manifests + "pod.yaml")["spec"];
  const auto set = YAML::LoadFile(manifests + "base/statefulset.yaml");
  const auto service = YAML::LoadFile(manifests + "base/service.yaml");
  const auto spec = set["spec"]["template"]["spec"];
  for (const auto* key : {"enableServiceLinks", "automountServiceAccountToken",
                          "terminationGracePeriodSeconds", "securityContext"}) {
    CHECK(YAML::Dump(spec[key]) == YAML::Dump(pod[key]));
  }
  for (const auto* key : {"image", "ports", "startupProbe", "livenessProbe", "readinessProbe",
                          "resources", "securityContext"}) {
    CHECK(YAML::Dump(spec["containers"][0][key]) == YAML::Dump(pod["containers"][0][key]));
  }
  const auto labels = YAML::Dump(set["spec"]["template"]["metadata"]["labels"]);
  CHECK(labels == YAML::Dump(set["spec"]["selector"]["matchLabels"]));
  CHECK(labels == YAML::Dump(service["spec"]["selector"]));
  CHECK(set["spec"]["serviceName"].as<std::string>() ==
        service["metadata"]["name"].as<std::string>());
  CHECK(service["spec"]["clusterIP"].as<std::string>() == "None");
  std::vector<std::string> claims;
  for (const auto& claim : set["spec"]["volumeClaimTemplates"]) {
    claims.push_back(claim["metadata"]["name"].as<std::string>());
  }
  CHECK(claims == std::vector<std::string>{"data", "share"});
}

TEST_CASE("the pod has no privilege, and its guest more time to stop than it gets") {
  const auto pod = YAML::LoadFile(manifests + "pod.yaml")["spec"];
  const auto container = pod["containers"][0];
  const auto context = container["securityContext"];
  CHECK_FALSE(context["privileged"].as<bool>());
  CHECK_FALSE(context["allowPrivilegeEscalation"].as<bool>());
  CHECK(context["readOnlyRootFilesystem"].as<bool>());
  CHECK(context["capabilities"]["drop"].as<std::vector<std::string>>() ==
        std::vector<std::string>{"ALL"});
  CHECK(pod["terminationGracePeriodSeconds"].as<int>() >
        named(container["env"], "STOP_TIMEOUT")["value"].as<int>());
}

TEST_CASE("vm-runner takes the StatefulSet's settings beside the variables of Kubernetes") {
  if (!has_docker()) return;
  const auto set = YAML::LoadFile(manifests + "base/statefulset.yaml");
  const auto container = set["spec"]["template"]["spec"]["containers"][0];
  // PERSIST wants a disk, which a file with a boot sector's mark is for `args`, and a volume.
  const TextFile disk(std::string(510, 0) + "\x55\xaa" + std::string(3584, 0));
  std::vector<std::string> words = {"run",
                                    "-v",
                                    disk.path() + ":/disk.img:ro",
                                    "-e",
                                    "BASE_IMAGE=/disk.img",
                                    "--tmpfs",
                                    "/data",
                                    "--rm",
                                    "-e",
                                    "ACCEL=tcg",
                                    "-e",
                                    "KUBERNETES_SERVICE_HOST=10.96.0.1",
                                    "-e",
                                    "KUBERNETES_PORT=tcp://10.96.0.1:443"};
  for (const auto& variable : container["env"]) {
    const auto name = variable["name"].as<std::string>();
    const auto value = variable["value"]      ? variable["value"].as<std::string>()
                       : name == "SSH_PUBKEY" ? ed25519_key
                                              : "vm-runner-0";
    words.insert(words.end(), {"-e", name + "=" + value});
  }
  words.insert(words.end(), {built_image(), "args", "--format=lines"});
  const auto run = run_docker(words);
  INFO(run.output << run.errors);
  CHECK(run.ok);
  CHECK_FALSE(says(run, "KUBERNETES"));
  CHECK(says(run, "/data/vm-runner-0.qcow2"));
}

TEST_CASE("kustomize puts the manifests together, and KVM onto them") {
  const auto render = [](const std::string& name) {
    return vmr::capture({"/bin/sh", "-c", "kubectl kustomize " + manifests + name});
  };
  if (!vmr::capture({"/bin/sh", "-c", "command -v kubectl"}).ok) {
    MESSAGE("SKIPPED: no kubectl (Debian: kubernetes-client) to put the manifests together");
    return;
  }
  const auto base = render("base");
  const auto kvm = render("kvm");
  INFO(base.errors << kvm.errors);
  CHECK(base.ok);
  CHECK(kvm.ok);
  CHECK(YAML::LoadAll(base.output).size() == 2);
  CHECK(base.output.find("kvm") == std::string::npos);
  for (const auto& object : YAML::LoadAll(kvm.output)) {
    if (object["kind"].as<std::string>() != "StatefulSet") continue;
    const auto container = object["spec"]["template"]["spec"]["containers"][0];
    CHECK(container["resources"]["limits"]["devices.kubevirt.io/kvm"].as<int>() == 1);
    CHECK(container["resources"]["limits"]["memory"].as<std::string>() == "3584Mi");
    CHECK(named(container["env"], "REQUIRE_KVM")["value"].as<std::string>() == "1");
    CHECK(named(container["env"], "FILESYSTEM_SOURCE")["value"].as<std::string>() == "/share");
  }
}
