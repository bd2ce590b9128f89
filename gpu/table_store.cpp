#include "gpu/table_store.hpp"

#include <thread>

namespace esper {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds first_look{1}, last_look{16};  // for a name that is not there yet

}  // namespace

TableAnswer TableStore::ask(const TableRequest& request) {
  const auto until = Clock::now() + answer_;
  const std::unique_lock lock(one_at_a_time_, until);
  if (!lock.owns_lock()) C10_THROW_ERROR(DistStoreError, "no answer in time");
  try {
    auto answer = connection_->call(request, until);
    if (answer.status == TableStatus::full) C10_THROW_ERROR(DistStoreError, "its table is full");
    if (answer.status == TableStatus::not_a_number)
      C10_THROW_ERROR(DistStoreError, request.name + " is no counter");
    return answer;
  } catch (const TableGone& gone) {
    C10_THROW_ERROR(DistStoreError, gone.what());
  }
}

c10::intrusive_ptr<c10d::Store> TableStore::clone() {
  return c10::intrusive_ptr<c10d::Store>::reclaim_copy(this);
}

void TableStore::set(const std::string& key, const std::vector<std::uint8_t>& value) {
  ask({TableCall::set, 0, key, std::string(value.begin(), value.end())});
}

std::vector<std::uint8_t> TableStore::get(const std::string& key) {
  wait({key});
  const TableAnswer answer = ask({TableCall::get, 0, key});
  if (answer.status == TableStatus::absent) C10_THROW_ERROR(DistStoreError, key + " was removed");
  return {answer.bytes.begin(), answer.bytes.end()};
}

std::int64_t TableStore::add(const std::string& key, std::int64_t value) {
  return ask({TableCall::add, value, key}).number;
}

bool TableStore::deleteKey(const std::string& key) {
  return ask({TableCall::remove, 0, key}).status == TableStatus::done;
}

bool TableStore::check(const std::vector<std::string>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
    return ask({TableCall::has, 0, key}).status == TableStatus::done;
  });
}

std::int64_t TableStore::getNumKeys() { return ask({TableCall::count}).number; }

void TableStore::wait(const std::vector<std::string>& keys, const milliseconds& timeout) {
  const auto until = Clock::now() + timeout;
  for (milliseconds pause = first_look; !check(keys); pause = std::min(2 * pause, last_look)) {
    if (Clock::now() >= until)
      C10_THROW_ERROR(DistStoreError, keys.front() + " did not come in time");
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace esper
