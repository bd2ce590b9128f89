#include "actors/decisions/lifecycle.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <utility>

namespace esper {
namespace {

using enum Stage;

// Written apart from the code under test: everything not listed is forbidden.
const std::map<std::pair<Stage, CommandKind>, Stage> legal{
    {{dormant, CommandKind::germinate}, train_isolated},
    {{train_isolated, CommandKind::graft}, grafting},
    {{grafting, CommandKind::advance}, grafting},
    {{grafting, CommandKind::hold}, grafting},
    {{grafting, CommandKind::stabilise}, stabilising},
    {{stabilising, CommandKind::fossilise}, fossilised},
    {{train_isolated, CommandKind::cull}, embargoed},
    {{grafting, CommandKind::cull}, embargoed},
    {{stabilising, CommandKind::cull}, embargoed},
    {{grafting, CommandKind::roll_back}, embargoed},
    {{stabilising, CommandKind::roll_back}, embargoed},
    {{weaning, CommandKind::cull}, embargoed},
    {{sunset, CommandKind::cull}, embargoed},
    {{weaning, CommandKind::roll_back}, embargoed},
    {{embargoed, CommandKind::lift_embargo}, dormant},
    {{stabilising, CommandKind::freeze}, stabilising},
    {{stabilising, CommandKind::fold}, sunset},
    {{grafting, CommandKind::wean}, weaning},
    {{stabilising, CommandKind::wean}, weaning},
    {{weaning, CommandKind::wean}, weaning},
    {{weaning, CommandKind::hold}, weaning},
    {{weaning, CommandKind::sunset}, sunset},
    {{sunset, CommandKind::retire}, dormant},
};

SCENARIO("every pair of stage and command is either in the table or refused", "[lifecycle]") {
  for (std::size_t s = 0; s < EnumNames<Stage>::values.size(); ++s)
    for (std::size_t k = 0; k < EnumNames<CommandKind>::values.size(); ++k) {
      const auto stage = static_cast<Stage>(s);
      const auto kind = static_cast<CommandKind>(k);
      CAPTURE(name_of(stage), name_of(kind));
      const auto result = after(stage, kind);
      if (kind == CommandKind::escape) {
        REQUIRE(result);
        CHECK(result.value() == stage);
      } else if (const auto found = legal.find({stage, kind}); found != legal.end()) {
        REQUIRE(result);
        CHECK(result.value() == found->second);
      } else {
        REQUIRE_FALSE(result);
        CHECK(result.refusal() == CommandRefusal::illegal_stage);
      }
    }
}

}  // namespace
}  // namespace esper
