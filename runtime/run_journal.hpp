#pragma once
// The journal of a run's directory, in the backend that its config names.
#include <atomic>
#include <memory>

#include "messages/configuration.hpp"
#include "runtime/journal_book.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

using MadeJournal = Result<std::unique_ptr<JournalBook>, JournalFault>;

/// A new one. Of PostgreSQL the directory keeps the name that tells the run from the database's
/// others. Errors: exists, disk.
[[nodiscard]] MadeJournal create_journal(const RunConfig& config, const RunDirectory& directory);
/// To be written on. A new one where the run was killed before it had any. Errors: not_a_journal,
/// disk, led.
[[nodiscard]] MadeJournal resume_journal(const RunConfig& config, const RunDirectory& directory);
/// A standby's wait for the lead of a run in PostgreSQL, by its name there. Null: `stop` was asked
/// for. Errors: missing, not_a_journal, disk.
[[nodiscard]] MadeJournal stand_by_journal(const ClusterConfig& cluster, const std::string& run,
                                           const std::atomic<bool>& stop);
/// The directory keeps that name. False: it can't be written.
[[nodiscard]] bool keep_run_name(const RunDirectory& directory, const std::string& run);
/// As the directory keeps it; "": it keeps none.
[[nodiscard]] std::string run_name_of(const RunDirectory& directory);
/// For reading alone; of PostgreSQL the directory's config.json says where. Errors: missing,
/// not_a_journal, disk.
[[nodiscard]] MadeJournal open_journal(const RunDirectory& directory);

/// Whether it is a file of the directory, or stands in a database.
[[nodiscard]] bool has_journal_file(const RunDirectory& directory);

}  // namespace esper
