# Families of contrasts on every kind of fit: emmeans 1.8.4-1 on lm (model and HC3 covariance of sandwich 3.0-2), geepack
# 1.3.9, nlme 3.1-162 and afex 1.2-1; joint adjustments by mvtnorm 1.1-3 (TVPACK, exact to three dimensions); R 4.2.2.
# Data: those of emmeans.json beside this script. Writes families.json. Run: Rscript tests/reference/marginal_means/families.R
suppressMessages({
  library(emmeans); library(geepack); library(nlme); library(afex); library(sandwich); library(mvtnorm); library(jsonlite)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.factor(x)) return(as.character(x))
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
emm_options(msg.interaction = FALSE, msg.nesting = FALSE)
d <- as.data.frame(fromJSON(file.path(here, "emmeans.json"))$data)
for (name in c("visit", "age", "sex", "time", "y", "event", "count")) d[[name]] <- suppressWarnings(as.numeric(d[[name]]))
d$fvisit <- factor(d$visit); d$arm <- factor(d$arm); d$site <- factor(d$site); d$id <- factor(d$id)
known <- d[!is.na(d$y), ]
last <- droplevels(known[known$visit == 6, ])
whole <- droplevels(d[!(d$id %in% d$id[is.na(d$y)]), ])

means <- function(e) {
  s <- as.data.frame(summary(e, infer = c(TRUE, FALSE)))
  list(estimate = s$emmean, std_error = s$SE, df = s$df, conf_low = s[[grep("lower.CL|asymp.LCL", names(s))]],
       conf_high = s[[grep("upper.CL|asymp.UCL", names(s))]])
}
tests <- function(k, adjust) {
  s <- as.data.frame(summary(k, infer = c(TRUE, TRUE), adjust = adjust))
  list(contrast = as.character(s$contrast), estimate = s$estimate, std_error = s$SE, df = s$df,
       statistic = s[[intersect(c("t.ratio", "z.ratio"), names(s))]], p_value = s$p.value,
       conf_low = s[[grep("lower.CL|asymp.LCL", names(s))]], conf_high = s[[grep("upper.CL|asymp.UCL", names(s))]])
}
# P of the largest of two or three statistics, and its quantile. TVPACK is exact for what lies below a corner; a box is a
# signed sum of its corners.
largest <- function(k) {
  s <- as.data.frame(summary(k, infer = c(TRUE, TRUE), adjust = "none"))
  stat <- s[[intersect(c("t.ratio", "z.ratio"), names(s))]]
  R <- cov2cor(vcov(k)); df <- s$df[1]; q <- nrow(R)
  signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), q)))
  below <- function(corner) as.numeric(if (is.finite(df))
    pmvt(rep(-Inf, q), corner, df = df, corr = R, algorithm = TVPACK(abseps = 1e-14)) else
    pmvnorm(rep(-Inf, q), corner, corr = R, algorithm = TVPACK(abseps = 1e-14)))
  beyond <- function(x) 1 - sum(apply(signs, 1, prod) * apply(signs, 1, function(s) below(s * x)))
  list(contrast = as.character(s$contrast), p_value = sapply(abs(stat), beyond),
       limit = uniroot(function(x) beyond(x) - 0.05, c(1, 10), tol = 1e-12)$root)
}
joint <- function(k) {
  s <- as.data.frame(test(k, joint = TRUE))
  list(df_num = s$df1, df_den = s$df2, statistic = s$F.ratio, p_value = s$p.value)
}
ADJUST <- c("none", "bonferroni", "holm", "hochberg", "sidak")
kinds <- function(e, custom) {
  sets <- list(pairwise = pairs(e), reference = contrast(e, "trt.vs.ctrl", ref = 2),
               polynomial = contrast(e, "poly"), custom = contrast(e, custom))
  out <- lapply(sets, function(k) c(setNames(lapply(ADJUST, function(a) tests(k, a)), ADJUST), list(joint = joint(k))))
  out$pairwise$tukey <- tests(sets$pairwise, "tukey")
  for (name in names(sets)) if (nrow(vcov(sets[[name]])) <= 3 && qr(vcov(sets[[name]]))$rank == nrow(vcov(sets[[name]])))
    out[[name]]$mvt <- largest(sets[[name]])
  out
}
three <- list("HIGH+LOW" = c(-1, 0.5, 0.5), "LOW" = c(-1, 0, 1))
four <- list("late" = c(-1, -1, 1, 1) / 2, "first" = c(-3, 1, 1, 1) / 3, "end" = c(0, 0, -1, 1))

out <- list(made_with = list(R = R.version.string, emmeans = as.character(packageVersion("emmeans")),
  mvtnorm = as.character(packageVersion("mvtnorm")), sandwich = as.character(packageVersion("sandwich")),
  nlme = as.character(packageVersion("nlme")), geepack = as.character(packageVersion("geepack")),
  afex = as.character(packageVersion("afex"))))

m <- lm(y ~ arm * site + age + sex, last)
out$lm <- kinds(emmeans(m, "arm"), three)
h <- vcovHC(m, "HC3")
out$hc3 <- kinds(emmeans(m, "arm", vcov. = h), three)
out$hc2_by <- list(means = means(emmeans(m, "arm", by = "site", weights = "proportional", vcov. = vcovHC(m, "HC2"))))
p <- lm(y ~ arm + poly(age, 2), last)
out$poly <- list(means = means(emmeans(p, "arm")), at = means(emmeans(p, "arm", at = list(age = 38))))

tight <- geese.control(epsilon = 1e-13, maxit = 200)
g <- geeglm(y ~ arm * fvisit + site + age, gaussian, known, id = id, waves = as.integer(known$fvisit), corstr = "exchangeable",
            control = tight)
out$gee <- list(beta = unname(coef(g)), visits = kinds(emmeans(g, "fvisit"), four), arms = kinds(emmeans(g, "arm", weights = "cells"), three),
  by = list(means = means(emmeans(g, "arm", by = "fvisit", weights = "proportional")), joint = joint(pairs(emmeans(g, "arm", by = "fvisit"))),
            holm = tests(contrast(emmeans(g, "arm", by = "fvisit"), "trt.vs.ctrl", ref = 1), "holm")))
b <- geeglm(event ~ arm + site + age, binomial, d, id = id, corstr = "exchangeable", control = tight)
out$logit <- kinds(emmeans(b, "arm", at = list(age = 40, site = "east")), three)

s <- gls(y ~ arm * fvisit + age, known, correlation = corCompSymm(form = ~ 1 | id),
         control = glsControl(tolerance = 1e-13, msTol = 1e-15, maxIter = 1000, msMaxIter = 1000))
e <- emmeans(s, "fvisit", mode = "asymptotic", data = known)
out$gls <- list(means = means(e), polynomial = tests(contrast(e, "poly"), "none"), custom = tests(contrast(e, four), "none"),
  arms = tests(contrast(emmeans(s, "arm", by = "fvisit", mode = "asymptotic", data = known), "trt.vs.ctrl", ref = 2), "none"))

a <- suppressMessages(aov_car(y ~ arm + Error(id / fvisit), whole, include_aov = TRUE))
out$rm <- list(ids = levels(whole$id), visits = kinds(emmeans(a, "fvisit", model = "multivariate"), four),
  arms = kinds(emmeans(a, "arm", model = "multivariate"), three))
write_json(full(out), file.path(here, "families.json"), auto_unbox = TRUE, na = "null")
